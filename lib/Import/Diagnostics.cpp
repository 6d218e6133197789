// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Import/Diagnostics.h"

#include "mlir/IR/Location.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;

StringRef lathe::getNodeName(Location loc) {
  StringRef name;
  loc->walk([&](Location inner) {
    auto named = dyn_cast<NameLoc>(inner);
    if (!named)
      return WalkResult::advance();
    name = named.getName().getValue();
    return WalkResult::interrupt();
  });
  return name;
}

/// Takes `'onnx.Op' op ` off the front of `text` and returns `Op`.
static StringRef consumeOperator(StringRef &text) {
  StringRef rest = text;
  if (!rest.consume_front("'onnx."))
    return {};
  size_t quote = rest.find('\'');
  if (quote == StringRef::npos)
    return {};
  StringRef name = rest.take_front(quote);
  rest = rest.drop_front(quote + 1);
  if (!rest.consume_front(" op "))
    return {};
  text = rest;
  name.consume_front("ml.");
  return name;
}

static void printLine(const Diagnostic &diag, StringRef file, StringRef kind,
                      raw_ostream &os) {
  std::string message = diag.str();
  StringRef text = message;
  StringRef op = consumeOperator(text);
  StringRef node = lathe::getNodeName(diag.getLocation());
  os << file << ": ";
  // Some messages name the node themselves, with its operator.
  if (text.starts_with("node '")) {
    os << kind << text << "\n";
    return;
  }
  if (!node.empty()) {
    os << "node '" << node << "'";
    if (!op.empty())
      os << " (" << op << ")";
    os << ": ";
  } else if (!op.empty()) {
    os << op << ": ";
  }
  os << kind << text << "\n";
}

void lathe::printDiagnostic(const Diagnostic &diag, StringRef file,
                            raw_ostream &os) {
  switch (diag.getSeverity()) {
  case DiagnosticSeverity::Error:
    printLine(diag, file, "", os);
    break;
  case DiagnosticSeverity::Warning:
    printLine(diag, file, "warning: ", os);
    break;
  case DiagnosticSeverity::Note:
  case DiagnosticSeverity::Remark:
    printLine(diag, file, "note: ", os);
    break;
  }
  for (const Diagnostic &note : diag.getNotes())
    printLine(note, file, "note: ", os);
}
