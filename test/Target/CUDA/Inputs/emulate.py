# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes host code of CUDA kernels, for FakeCuda.c to run.

    emulate.py CLANG MODEL.ll KERNELS.so

MODEL.ll is what `lathe compile --target=cuda -o MODEL.ll` writes: the kernels as
they go to the back end for PTX. Address spaces are taken away, and reads of
thread numbers, barriers and shuffles become calls."""

import os
import re
import subprocess
import sys
import tempfile

CALLS = [
    (r"@llvm\.nvvm\.read\.ptx\.sreg\.tid\.x\(\)", "@emulated_tid()"),
    (r"@llvm\.nvvm\.read\.ptx\.sreg\.ctaid\.x\(\)", "@emulated_ctaid()"),
    (r"@llvm\.nvvm\.read\.ptx\.sreg\.nctaid\.x\(\)", "@emulated_nctaid()"),
]
SHUFFLE = re.compile(
    r"(%\S+) = (?:tail )?call (\S+) @llvm\.nvvm\.shfl\.sync\.bfly\.\w+"
    r"\(i32 -1, (?:float|i32) ([^,]+), i32 (\d+), i32 31\).*")


def to_host(text):
    """One module for the host, and the names of its kernels with the number of
    their parameters."""
    text = re.sub(r"^target (datalayout|triple) = .*$", "", text, flags=re.M)
    text = re.sub(r" addrspace\(\d+\)", "", text)
    text = text.replace("addrspacecast", "bitcast").replace("ptx_kernel ", "")
    text = re.sub(r'"target-(cpu|features)"="[^"]*"', "", text)
    for pattern, call in CALLS:
        text = re.sub(pattern, call, text)
    # Of a barrier only the call is left: all threads of the block meet there.
    text = re.sub(r"call void @llvm\.nvvm\.barrier\S*\([^)]*\)",
                  "call void @emulated_barrier()", text)

    number = 0

    def shuffle(match):
        nonlocal number
        result, kind, value, distance = match.groups()
        number += 1
        if kind == "i32":
            return (f"{result} = call i32 @emulated_shuffle_xor"
                    f"(i32 {value}, i32 {distance})")
        return (f"%emu.a{number} = bitcast float {value} to i32\n"
                f"  %emu.b{number} = call i32 @emulated_shuffle_xor"
                f"(i32 %emu.a{number}, i32 {distance})\n"
                f"  {result} = bitcast i32 %emu.b{number} to float")

    text = SHUFFLE.sub(shuffle, text)
    text = re.sub(r"^declare .*@(llvm\.nvvm|emulated_).*$", "", text, flags=re.M)
    text += """
declare i32 @emulated_tid()
declare i32 @emulated_ctaid()
declare i32 @emulated_nctaid()
declare void @emulated_barrier()
declare i32 @emulated_shuffle_xor(i32, i32)
"""
    kernels = []
    for match in re.finditer(r"^define [^@]*@(\w+)\((.*?)\)[^()]*\{$", text,
                             flags=re.M):
        name, parameters = match.groups()
        words = re.findall(r"\b(ptr|i64)\b", parameters)
        lines = [f"define void @emulated_{name}(ptr %w) {{"]
        for i, word in enumerate(words):
            lines.append(f"  %p{i} = getelementptr i64, ptr %w, i64 {i}")
            lines.append(f"  %a{i} = load {word}, ptr %p{i}")
        given = ", ".join(f"{word} %a{i}" for i, word in enumerate(words))
        lines += [f"  call void @{name}({given})", "  ret void", "}"]
        kernels.append("\n".join(lines))
    left = re.search(r"@llvm\.nvvm\.[\w.]+", text)
    if left:
        sys.exit(f"expected kernels without {left.group()}")
    return text + "\n".join(kernels) + "\n"


def main():
    clang, model, output = sys.argv[1:]
    with open(model) as file:
        modules = re.split(r"(?m)^(?=; ModuleID)", file.read())
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for i, module in enumerate(filter(str.strip, modules)):
            paths.append(os.path.join(folder, f"kernel{i}.ll"))
            with open(paths[-1], "w") as file:
                file.write(to_host(module))
        subprocess.run(
            [clang, "-shared", "-fPIC", "-O1", "-ffp-contract=off",
             "-Wno-override-module", "-mfma", "-mf16c", "-o", output, *paths],
            check=True)


if __name__ == "__main__":
    main()
