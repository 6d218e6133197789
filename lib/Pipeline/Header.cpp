// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Pipeline/Artifact.h"

#include "mlir/IR/BuiltinTypes.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/raw_ostream.h"

using namespace lathe;

/// The C type of an element, for the reader.
static std::string getElementName(mlir::Type type) {
  if (type.isInteger(1))
    return "bool";
  std::string name;
  llvm::raw_string_ostream(name) << type;
  return name;
}

static void describe(llvm::raw_ostream &os, llvm::StringRef role,
                     const ProgramTables &tables,
                     const ProgramTables::Tensor &tensor, size_t i) {
  os << " *   " << role << ' ' << i << "  " << tensor.name << ": ";
  if (!tensor.valueType.empty() && !tensor.hasRank) {
    os << tensor.valueType << '\n';
    return;
  }
  os << (tensor.hasRank ? "string" : getElementName(tensor.elementType)) << '[';
  for (auto [d, dim] : llvm::enumerate(tensor.dims)) {
    os << (d ? ", " : "");
    if (dim >= 0)
      os << dim;
    else if ((size_t)~dim < tables.symbols.size())
      os << tables.symbols[~dim];
    else
      os << '?';
  }
  os << "]\n";
}

/// Text that can neither end a comment nor seem to begin one.
static std::string quote(llvm::StringRef text) {
  std::string safe = text.str();
  for (size_t i = 1; i < safe.size(); ++i)
    if ((safe[i - 1] == '*' && safe[i] == '/') ||
        (safe[i - 1] == '/' && safe[i] == '*'))
      safe[i] = ' ';
  for (char &c : safe)
    if (!llvm::isPrint(c))
      c = '?';
  return safe;
}

/// An identifier of a tensor's name.
static std::string getIdentifier(llvm::StringRef name) {
  std::string id = name.str();
  for (char &c : id)
    if (!llvm::isAlnum(c))
      c = '_';
  return id;
}

std::string lathe::getHeader(const ProgramTables &tables) {
  std::string text;
  llvm::raw_string_ostream os(text);
  const std::string &name = tables.prefix;
  std::string signature;
  llvm::raw_string_ostream lines(signature);
  for (auto [i, input] : llvm::enumerate(tables.inputs))
    describe(lines, "input ", tables, input, i);
  for (auto [i, output] : llvm::enumerate(tables.outputs))
    describe(lines, "output", tables, output, i);
  llvm::SmallVector<llvm::StringRef> rows;
  llvm::StringRef(signature).split(rows, '\n', -1, /*KeepEmpty=*/false);

  os << "/* Model " << name << ", compiled by Lathe.\n *\n";
  for (llvm::StringRef row : rows)
    os << quote(row) << '\n';
  os << " */\n";
  std::string guard = llvm::StringRef(name).upper() + "_LATHE_H";
  os << "#ifndef " << guard << "\n#define " << guard << "\n\n"
     << "#include <lathe-rt/lathe.h>\n\n"
     << "#ifdef __cplusplus\nextern \"C\" {\n#endif\n\n"
     << "const lathe_model *" << name << "_lathe_model(void);\n\n"
     << "enum {\n";
  llvm::StringSet<> used;
  auto place = [&](llvm::StringRef role, const auto &list) {
    for (auto [i, tensor] : llvm::enumerate(list)) {
      std::string id =
          (name + "_" + role + "_" + getIdentifier(tensor.name)).str();
      while (!used.insert(id).second)
        id += "_" + std::to_string(i);
      os << "  " << id << " = " << i << ",\n";
    }
    os << "  " << name << "_num_" << role << "s = " << list.size() << ",\n";
  };
  place("input", tables.inputs);
  place("output", tables.outputs);
  os << "};\n\n#ifdef __cplusplus\n}\n#endif\n#endif /* " << guard << " */\n";
  return text;
}
