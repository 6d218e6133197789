// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writing what a compiled model consists of: the object of its weights, linked
// libraries, the C header.

#ifndef LATHE_PIPELINE_ARTIFACT_H
#define LATHE_PIPELINE_ARTIFACT_H

#include "lathe/Conversion/LatheToLLVM/ProgramToLLVM.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include "llvm/TargetParser/Triple.h"
#include <string>

namespace lathe {
struct CompileOptions;

/// Writes the weights, in the order and at the offsets of `tables`, to `os`;
/// recipes run one weight at a time.
llvm::Error writeWeights(const ProgramTables &tables, llvm::raw_ostream &os);

/// Writes an ELF object that defines `symbol`: a page-aligned read-only section
/// that holds the weights.
llvm::Error writeWeightsObject(const ProgramTables &tables,
                               llvm::StringRef symbol,
                               const llvm::Triple &triple,
                               llvm::StringRef path);

/// Links a shared library that exports `exported` only. `libraries` are
/// archives and the C library. May be called from several threads; links run
/// one after the other.
llvm::Error linkSharedLibrary(llvm::ArrayRef<std::string> objects,
                              llvm::ArrayRef<std::string> libraries,
                              llvm::StringRef exported, llvm::StringRef path);

/// Joins objects into one relocatable object.
llvm::Error linkObject(llvm::ArrayRef<std::string> objects,
                       llvm::StringRef path);

/// The C library that this program itself runs with.
std::string findCLibrary();

/// The archive of the runtime: as given, or from the tree that the program lies
/// in.
std::string getRuntimeLibrary(const CompileOptions &options);

/// Tells in the metadata which node makes which output, where the program says
/// so.
void addProducers(mlir::ModuleOp module, ProgramTables &tables);

/// The text of the model's C header.
std::string getHeader(const ProgramTables &tables);

} // namespace lathe

#endif // LATHE_PIPELINE_ARTIFACT_H
