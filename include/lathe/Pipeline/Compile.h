// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The compiler as one function: an ONNX model in, an artifact out.

#ifndef LATHE_PIPELINE_COMPILE_H
#define LATHE_PIPELINE_COMPILE_H

#include "lathe/Target/Target.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/LogicalResult.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace mlir {
class ModuleOp;
} // namespace mlir

namespace lathe {
struct ModelSummary;
struct UserDiagnostic;

/// Everything `lathe compile` can be asked for. Field names follow its options.
struct CompileOptions {
  std::string input; ///< Path of the model; its name in messages with `bytes`.
  llvm::ArrayRef<char> bytes; ///< The model itself, instead of a file.
  std::string output;         ///< Its suffix picks the kind of artifact.
  std::string target = "cpu";
  std::string cpu = "native"; ///< Several: one variant each, chosen at load.
  std::string gpu; ///< Chips, comma-separated; the target's choice if empty.
  /// `--shape`: full shapes of inputs by name; `--dim`: sizes of symbols.
  std::vector<std::pair<std::string, std::vector<int64_t>>> shapes;
  std::vector<std::pair<std::string, int64_t>> dims;
  /// `--state`: `IN=OUT` or `IN=OUT:max=N`, outputs in the memory of inputs.
  std::vector<std::string> states;
  std::string fusion = "all";        ///< all, none, or names: `NAME,-NAME`.
  std::string layout = "auto";       ///< auto or none.
  std::string memoryPlan = "search"; ///< search, greedy or none.
  std::string precision = "strict";  ///< strict, relaxed, bf16 or f16.
  /// `--tune`: measure what the cost model decides about kernels, at these
  /// sizes of symbols, and keep the decisions in a file (in the cache's folder
  /// if empty).
  bool tune = false;
  std::string tuneCache;
  std::vector<std::pair<std::string, int64_t>> tuneDims;
  std::string decisions; ///< A file of decisions to take over as they are.
  std::string name;      ///< Symbol prefix; from the file's name if empty.
  std::string weights = "embed"; ///< embed or file.
  unsigned optLevel = 3;
  unsigned jobs = 0; ///< Threads that compile; 0: as many as processors.
  bool timing = false;
  bool progress = false;
  std::string printIRAfter; ///< A pass's name, or `all`.
  /// Where the runtime archive lies; beside the program's library folder if
  /// empty.
  std::string runtimeLibrary;
  bool explainFusion = false; ///< Record why fusions did not happen.
  /// Gets every diagnostic, which is then not printed; calls come one by one.
  std::function<void(const UserDiagnostic &)> onDiagnostic;
  /// Told the name of each stage as it begins.
  std::function<void(llvm::StringRef)> onStage;
  /// Give the value of every node of the main graph (that is a tensor of
  /// numbers) as an output instead of the model's outputs. The artifact's
  /// metadata `lathe.producer.NAME` names the node of output `NAME`.
  bool intermediates = false;
  /// A folder of artifacts by what they are made of, for `compileModel` to take
  /// them from and to put them into; none if empty. Whoever can write there can
  /// exchange artifacts.
  std::string cache;
  /// When files of the cache are deleted, as LLVM's `parseCachePruningPolicy`
  /// takes it.
  std::string cachePolicy = "cache_size_bytes=10g:prune_after=720h";
};

/// The targets that the options ask for: one for each processor, all of one
/// architecture, those that need most first. Failure, with the reason in
/// `error`, where there are none.
llvm::FailureOr<std::vector<std::unique_ptr<TargetInterface>>>
createTargets(const CompileOptions &options, std::string &error);

/// The first of these.
llvm::FailureOr<std::unique_ptr<TargetInterface>>
createTarget(const CompileOptions &options, std::string &error);

/// What is wrong with the options by themselves, apart from the model; empty
/// where nothing is. `output` may be empty.
std::string findWrongOption(const CompileOptions &options);

/// Compiles a model. Errors go to `errs`, one line each; then nothing has been
/// written.
llvm::LogicalResult compileModel(const CompileOptions &options,
                                 llvm::raw_ostream &errs);

/// Lowers a model to launches of kernels with storage, calls `use` on the
/// result and forgets it. `summary` is filled as soon as the file was parsed.
/// Ignores `output`.
llvm::LogicalResult
lowerModel(const CompileOptions &options, llvm::raw_ostream &errs,
           ModelSummary &summary,
           llvm::function_ref<llvm::LogicalResult(mlir::ModuleOp)> use);

/// The prefix of a model's symbols that a file's name gives: its stem with
/// every character that C does not allow replaced by `_`.
std::string getSymbolPrefix(llvm::StringRef path);

} // namespace lathe

#endif // LATHE_PIPELINE_COMPILE_H
