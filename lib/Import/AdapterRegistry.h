// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Adapters upgrade nodes of older opsets, one step at a time, until they have
// the newest form. Only what changed in structure or meaning needs one.

#ifndef LATHE_IMPORT_ADAPTERREGISTRY_H
#define LATHE_IMPORT_ADAPTERREGISTRY_H

#include "Node.h"
#include "mlir/IR/Diagnostics.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringMap.h"
#include <optional>

namespace lathe::importer {

/// What an adapter may ask and make. Names of values are those of the scope of
/// the node.
class AdapterContext {
public:
  virtual ~AdapterContext() = default;

  /// Adds a node before the adapted one, in the form of the opset that the
  /// adapter leads to, and returns the name of its only result.
  virtual std::string
  emit(llvm::StringRef op, llvm::ArrayRef<std::string> inputs,
       llvm::ArrayRef<proto::AttributeProto *> attributes = {}) = 0;

  /// Gives result `i` of the adapted node a new name, which is returned. The
  /// adapter then makes the old one with `emitAfter`.
  virtual std::string renameOutput(size_t i) = 0;
  virtual void
  emitAfter(llvm::StringRef op, llvm::ArrayRef<std::string> inputs,
            std::string output,
            llvm::ArrayRef<proto::AttributeProto *> attributes = {}) = 0;

  /// A new attribute that lives as long as the import.
  virtual proto::AttributeProto *newAttribute(llvm::StringRef name) = 0;

  /// Says that `node`, in a sub-graph that the adapter builds, has the form of
  /// the opset that the adapter leads to.
  virtual void hasNewForm(const proto::NodeProto &node) = 0;

  /// The type of a value as far as it is known here, or null.
  virtual const proto::TypeProto *getType(llvm::StringRef value) = 0;

  /// Reports what is wrong with the node; converts to failure.
  virtual mlir::InFlightDiagnostic error() = 0;

  // Built from the above.

  proto::AttributeProto *intAttr(llvm::StringRef name, int64_t value);
  proto::AttributeProto *intsAttr(llvm::StringRef name,
                                  llvm::ArrayRef<int64_t> values);
  proto::AttributeProto *floatAttr(llvm::StringRef name, float value);
  proto::AttributeProto *stringAttr(llvm::StringRef name,
                                    llvm::StringRef value);
  proto::AttributeProto *stringsAttr(llvm::StringRef name,
                                     llvm::ArrayRef<std::string> values);
  /// Adds or replaces an attribute of `node`.
  void set(Node &node, proto::AttributeProto *attribute);

  /// A constant of 64-bit integers: a list or one scalar.
  std::string constantInts(llvm::ArrayRef<int64_t> values);
  std::string constantInt(int64_t value);
  std::string constantBool(bool value);
  std::string constantFloats(llvm::ArrayRef<float> values);
  /// A scalar of value `value` and the element type of the value `like`.
  std::string constantLike(float value, llvm::StringRef like);

  /// Moves a list attribute to input `i`; nothing where it is absent.
  void intsToInput(Node &node, llvm::StringRef attribute, size_t i);

  std::optional<int64_t> getRank(llvm::StringRef value);
  /// Number of the element type, or 0 where it is not known.
  int32_t getElementType(llvm::StringRef value);
};

using Adapter = mlir::LogicalResult (*)(Node &node, AdapterContext &context);

class AdapterRegistry {
public:
  struct Entry {
    /// The adapter takes forms of opsets below this one and leads to it.
    int64_t below;
    Adapter adapter;
  };

  /// Registers all families.
  AdapterRegistry();

  /// `adapter` takes nodes of `ops` whose opset is below `below` (and not below
  /// that of an earlier step) to the form of opset `below`.
  void add(llvm::ArrayRef<llvm::StringRef> ops, int64_t below, Adapter adapter,
           llvm::StringRef domain = "");

  /// The next step for the node, or null where its form is the newest.
  const Entry *find(const Node &node) const;

private:
  llvm::StringMap<llvm::SmallVector<Entry, 1>> entries;
};

// One function for each family, in its file under Adapters/.
void registerControlAdapters(AdapterRegistry &registry);
void registerMathAdapters(AdapterRegistry &registry);
void registerMlAdapters(AdapterRegistry &registry);
void registerNnAdapters(AdapterRegistry &registry);
void registerRecurrentAdapters(AdapterRegistry &registry);
void registerReduceAdapters(AdapterRegistry &registry);
void registerResizeAdapters(AdapterRegistry &registry);
void registerTensorAdapters(AdapterRegistry &registry);

} // namespace lathe::importer

#endif // LATHE_IMPORT_ADAPTERREGISTRY_H
