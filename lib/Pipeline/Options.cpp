// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Pipeline/Options.h"

#include "lathe/Pipeline/Compile.h"
#include "llvm/ADT/STLExtras.h"

using namespace lathe;
using llvm::SmallVector;
using llvm::StringLiteral;
using llvm::StringRef;

static constexpr StringLiteral fine("");

//===----------------------------------------------------------------------===//
// Forms of values
//===----------------------------------------------------------------------===//

template <std::string CompileOptions::*field>
static StringLiteral setText(CompileOptions &options, StringRef value) {
  options.*field = value.str();
  return fine;
}

template <unsigned CompileOptions::*field>
static StringLiteral setNumber(CompileOptions &options, StringRef value) {
  return value.getAsInteger(10, options.*field) ? StringLiteral("a number")
                                                : fine;
}

template <bool CompileOptions::*field>
static StringLiteral setFlag(CompileOptions &options, StringRef value) {
  if (!value.empty() && value != "true" && value != "false")
    return "true or false";
  options.*field = value != "false";
  return fine;
}

/// `INPUT:1x3x224x224`; an input's name may hold colons itself.
static StringLiteral addShape(CompileOptions &options, StringRef value) {
  constexpr StringLiteral form("INPUT:1x3x224x224");
  auto [name, text] = value.rsplit(':');
  SmallVector<StringRef> parts;
  text.split(parts, 'x');
  std::vector<int64_t> shape;
  for (StringRef part : parts) {
    int64_t size;
    if (name.empty() || part.getAsInteger(10, size) || size < 0)
      return form;
    shape.push_back(size);
  }
  options.shapes.push_back({name.str(), std::move(shape)});
  return fine;
}

template <std::vector<std::pair<std::string, int64_t>> CompileOptions::*field>
static StringLiteral addDim(CompileOptions &options, StringRef value) {
  auto [name, text] = value.rsplit(':');
  int64_t size;
  if (name.empty() || text.getAsInteger(10, size) || size < 0)
    return "NAME:SIZE";
  (options.*field).push_back({name.str(), size});
  return fine;
}

static StringLiteral addState(CompileOptions &options, StringRef value) {
  auto [input, output] = value.split('=');
  if (input.empty() || output.empty())
    return "IN=OUT:max=N";
  options.states.push_back(value.str());
  return fine;
}

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

using O = CompileOptions;
using K = OptionKind;
using S = OptionScope;

static constexpr OptionInfo table[] = {
    {"target", K::Value, S::Code, "cpu|cuda", "cpu",
     "What to generate code for", setText<&O::target>},
    {"cpu", K::Value, S::Code, "name,…", "native",
     "Processors, chosen from at load: native, x86-64-v3, x86-64-v4, "
     "sapphirerapids, znver4+amx-int8, cortex-a76, ...",
     setText<&O::cpu>},
    {"gpu", K::Value, S::Code, "sm_80,...", "",
     "Chips of --target=cuda, from sm_70 on (default sm_80)", setText<&O::gpu>},
    {"shape", K::List, S::Sizes, "input:1x3x224x224", "",
     "Shape of an input; symbolic dimensions stay symbolic without it",
     addShape},
    {"dim", K::List, S::Sizes, "name:size", "", "Size of a symbolic dimension",
     addDim<&O::dims>},
    {"state", K::List, S::Code, "IN=OUT:max=N", "",
     "Output that lies in the memory of an input, which holds N steps",
     addState},
    {"fusion", K::Value, S::Code, "all|none|NAME,-NAME", "all",
     "What may be fused", setText<&O::fusion>},
    {"layout", K::Value, S::Code, "auto|none", "auto", "Choice of layouts",
     setText<&O::layout>},
    {"memory-plan", K::Value, S::Code, "search|greedy|none", "search",
     "Placement of values in the arena", setText<&O::memoryPlan>},
    {"precision", K::Value, S::Code, "strict|relaxed|bf16|f16", "strict",
     "Relaxed: arithmetic that may change results within documented error; "
     "bf16, f16: weights that are multiplied and summed are stored so",
     setText<&O::precision>},
    {"tune", K::Flag, S::Work, "", "",
     "Measure what is decided about kernels on this machine, and take the best",
     setFlag<&O::tune>},
    {"tune-cache", K::Value, S::Work, "file", "",
     "Where --tune keeps what it has measured (default: in --cache's folder)",
     setText<&O::tuneCache>},
    {"tune-dim", K::List, S::Work, "name:size", "",
     "Size of a symbolic dimension for --tune to measure at",
     addDim<&O::tuneDims>},
    {"decisions", K::Value, S::Code, "file", "",
     "Decide about kernels as --tune has in this file; measures nothing",
     setText<&O::decisions>},
    {"name", K::Value, S::Artifact, "prefix", "",
     "Prefix of the artifact's symbols (default: the file's name)",
     setText<&O::name>},
    {"weights", K::Value, S::Artifact, "embed|file", "embed",
     "Where weights go: into the artifact or PREFIX.weights beside it",
     setText<&O::weights>},
    {"O", K::Value, S::Code, "0..3", "3", "Effort of LLVM",
     setNumber<&O::optLevel>},
    {"j", K::Value, S::Artifact, "n", "",
     "Threads that compile (default: as many as processors)",
     setNumber<&O::jobs>},
    {"cache", K::Value, S::Work, "folder", "",
     "Keep artifacts in a folder, and take them from there while all that they "
     "are made of is the same",
     setText<&O::cache>},
    {"cache-policy", K::Value, S::Work, "policy",
     "cache_size_bytes=10g:prune_after=720h",
     "When files of the cache are deleted", setText<&O::cachePolicy>},
    {"intermediates", K::Flag, S::Artifact, "", "",
     "Give every node's value as an output, instead of the model's outputs",
     setFlag<&O::intermediates>},
    {"timing", K::Flag, S::Artifact, "", "",
     "Print where the time went, and the memory", setFlag<&O::timing>},
    {"print-ir-after", K::Value, S::Artifact, "pass", "",
     "Print the IR after a pass, or after 'all'", setText<&O::printIRAfter>},
};

llvm::ArrayRef<OptionInfo> lathe::getOptionTable() { return table; }

const OptionInfo *lathe::findOption(StringRef name) {
  const auto *found = llvm::find_if(
      table, [&](const OptionInfo &option) { return option.name == name; });
  return found == std::end(table) ? nullptr : found;
}

std::string lathe::setOption(CompileOptions &options, StringRef name,
                             StringRef value) {
  const OptionInfo *option = findOption(name);
  if (!option)
    return ("expected the name of an option, got '" + name + "'").str();
  StringRef dashes = name.size() == 1 ? "-" : "--";
  StringRef sign = name.size() == 1 ? "" : "=";
  StringLiteral form = option->set(options, value);
  if (form.empty())
    return "";
  return ("expected " + dashes + name + sign + form + ", got '" + value + "'")
      .str();
}
