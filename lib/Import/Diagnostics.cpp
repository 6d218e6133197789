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
  // What a domain's ops begin with; no operator has a point in its name.
  name = name.substr(name.rfind('.') + 1);
  return name;
}

/// Takes `node 'name' (Op): ` off the front of `text`, where it is there.
static void consumeNode(StringRef &text, lathe::UserDiagnostic &result) {
  StringRef rest = text;
  size_t end = rest.find("': "), withOp = rest.find("' (");
  if (!rest.starts_with("node '") || (end & withOp) == StringRef::npos)
    return;
  StringRef name = rest.take_front(std::min(end, withOp));
  rest = rest.drop_front(name.size());
  if (rest.consume_front("' (")) {
    size_t close = rest.find("): ");
    if (close == StringRef::npos)
      return;
    result.op = rest.take_front(close).str();
    rest = rest.drop_front(close + 3);
  } else {
    rest = rest.drop_front(3);
  }
  result.node = name.drop_front(StringRef("node '").size()).str();
  text = rest;
}

static lathe::UserDiagnostic describe(const Diagnostic &diag, StringRef file,
                                      lathe::Severity severity) {
  lathe::UserDiagnostic result;
  result.severity = severity;
  result.file = file.str();
  std::string message = diag.str();
  StringRef text = message;
  result.op = consumeOperator(text).str();
  result.node = lathe::getNodeName(diag.getLocation()).str();
  consumeNode(text, result);
  result.message = text.str();
  return result;
}

void lathe::describeDiagnostic(const Diagnostic &diag, StringRef file,
                               function_ref<void(const UserDiagnostic &)> use) {
  Severity severity =
      diag.getSeverity() == DiagnosticSeverity::Error     ? Severity::Error
      : diag.getSeverity() == DiagnosticSeverity::Warning ? Severity::Warning
                                                          : Severity::Note;
  use(describe(diag, file, severity));
  for (const Diagnostic &note : diag.getNotes())
    use(describe(note, file, Severity::Note));
}

void lathe::printDiagnostic(const UserDiagnostic &diag, raw_ostream &os) {
  os << diag.file << ": ";
  if (!diag.node.empty()) {
    os << "node '" << diag.node << "'";
    if (!diag.op.empty())
      os << " (" << diag.op << ")";
    os << ": ";
  } else if (!diag.op.empty()) {
    os << diag.op << ": ";
  }
  if (diag.severity != Severity::Error)
    os << (diag.severity == Severity::Warning ? "warning: " : "note: ");
  os << diag.message << "\n";
}

void lathe::printDiagnostic(const Diagnostic &diag, StringRef file,
                            raw_ostream &os) {
  describeDiagnostic(diag, file, [&](const UserDiagnostic &described) {
    printDiagnostic(described, os);
  });
}
