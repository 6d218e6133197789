# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# How lit runs our tests: their kinds, the tools they call (always by full
# path), and the features of the machine that a test may require.

import ctypes
import glob
import os
import platform
import shutil
import subprocess

import lit.formats
import lit.llvm
from lit.llvm.subst import FindTool, ToolSubst

config.name = "Lathe"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test", ".onnxtxt"]
config.excludes = ["CMakeLists.txt", "lit.cfg.py", "lit.site.cfg.py"]
config.test_source_root = os.path.join(config.lathe_source_dir, "test")
config.test_exec_root = os.path.join(config.lathe_build_dir, "test")
config.maxIndividualTestTime = 1200

# Tools. A name in a RUN line is replaced only where it stands alone.
config.llvm_tools_dir = os.path.realpath(config.llvm_tools_dir)
config.lit_tools_dir = ""
lit.llvm.initialize(lit_config, config)
llvm_config = lit.llvm.llvm_config
bin_dir = os.path.join(config.lathe_build_dir, "bin")
llvm_config.add_tool_substitutions(
    [ToolSubst("lathe", unresolved="ignore"),
     ToolSubst("lathe-opt", unresolved="ignore"),
     ToolSubst("lathe-import", unresolved="ignore"),
     ToolSubst("lathe-lsp-server", unresolved="ignore")],
    [bin_dir],
)
llvm_config.add_tool_substitutions(
    ["FileCheck", "not", "split-file", "count", "llvm-objdump", "llvm-readelf",
     "llvm-nm", ToolSubst("%clang", FindTool("clang"))],
    [config.llvm_tools_dir],
)
config.substitutions.append(("%python", config.lathe_python))
config.substitutions.append(("%cmake", config.lathe_cmake))
config.substitutions.append(("%unit", config.lathe_unit_dir))
config.substitutions.append(("%include", os.path.join(config.lathe_source_dir, "include")))
config.substitutions.append(("%bin", bin_dir))
config.substitutions.append(("%llvm", config.llvm_tools_dir))

# A test must not see how the person who runs it has tuned threads.
for name in ("LATHE_NUM_THREADS", "OMP_NUM_THREADS"):
    config.environment.pop(name, None)
if config.lathe_sanitize:
    # What a test in C compiles is linked with a runtime that is sanitized.
    config.substitutions.insert(0, ("%clang", os.path.join(config.llvm_tools_dir, "clang")
                                    + " -fsanitize=address,undefined -fno-sanitize=vptr,function"))
    config.available_features.add("sanitize")
    # The compiler is several times slower.
    config.environment["LATHE_TEST_FEW"] = "1"


def cpu_flags():
    """Names that the kernel gives to the processor's features."""
    try:
        with open("/proc/cpuinfo") as file:
            for line in file:
                if line.startswith(("flags", "Features")):
                    return set(line.split(":", 1)[1].split())
    except OSError:
        pass
    return set()


def has_cuda_device():
    """True if the CUDA driver is there and sees a device."""
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return False
    count = ctypes.c_int(0)
    return (driver.cuInit(0) == 0
            and driver.cuDeviceGetCount(ctypes.byref(count)) == 0
            and count.value > 0)


def has_thread_sanitizer():
    """True if clang has the libraries that -fsanitize=thread links."""
    clang = shutil.which("clang", path=config.llvm_tools_dir)
    folder = clang and subprocess.run([clang, "-print-resource-dir"], capture_output=True,
                                      text=True).stdout.strip()
    return bool(folder and glob.glob(os.path.join(folder, "lib", "*", "libclang_rt.tsan*.a")))


flags = cpu_flags()
features = {
    platform.machine().replace("_", "-"): True,
    "avx2": {"avx2", "fma"} <= flags,
    "avx512": {"avx512f", "avx512bw", "avx512dq", "avx512vl"} <= flags,
    "avx512-vnni": "avx512_vnni" in flags,
    "avx512-bf16": "avx512_bf16" in flags,
    "amx": {"amx_tile", "amx_int8", "amx_bf16"} <= flags,
    "cuda-device": has_cuda_device(),
    "pkg-config": shutil.which("pkg-config") is not None,
    "ptxas": shutil.which("ptxas") is not None,
    "thread-sanitizer": has_thread_sanitizer(),
}
config.available_features |= {name for name, there in features.items() if there}
absent = sorted(name for name, there in features.items() if not there)
if absent:
    lit_config.note("not on this machine, so not tested: " + ", ".join(absent))
