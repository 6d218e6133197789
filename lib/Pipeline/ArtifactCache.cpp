// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ArtifactCache.h"

#include "PendingFiles.h"
#include "lathe/Import/ExternalData.h"
#include "lathe/Import/Import.h"
#include "lathe/Pipeline/Artifact.h"
#include "lathe/Pipeline/Compile.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/BLAKE3.h"
#include "llvm/Support/CachePruning.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/TargetParser/Host.h"
#include <link.h>

using namespace llvm;
using namespace lathe;
using importer::ExternalData;
using importer::MappedFile;

//===----------------------------------------------------------------------===//
// Hashing
//===----------------------------------------------------------------------===//

namespace {
/// A hash of fields: each with its length, so that none can be taken for parts
/// of its neighbours.
class FieldHash {
public:
  FieldHash &add(StringRef text) {
    uint64_t size = text.size();
    blake.update(ArrayRef(reinterpret_cast<const uint8_t *>(&size), 8));
    blake.update(text);
    return *this;
  }
  FieldHash &addNumber(uint64_t number) { return add(utostr(number)); }
  std::string finish() { return toHex(blake.final(), /*LowerCase=*/true); }

private:
  BLAKE3 blake;
};
} // namespace

static StringRef asText(ArrayRef<char> bytes) {
  return StringRef(bytes.data(), bytes.size());
}

static std::unique_ptr<MemoryBuffer> readFile(StringRef path) {
  auto file = sys::fs::openNativeFileForRead(path, sys::fs::OF_UpdateAtime);
  if (!file) {
    consumeError(file.takeError());
    return nullptr;
  }
  auto buffer = MemoryBuffer::getOpenFile(*file, path, /*FileSize=*/-1,
                                          /*RequiresNullTerminator=*/false);
  sys::fs::closeFile(*file);
  return buffer ? std::move(*buffer) : nullptr;
}

static void addContent(FieldHash &hash, StringRef path) {
  std::unique_ptr<MemoryBuffer> content = readFile(path);
  hash.add(content ? content->getBuffer() : StringRef("no file"));
}

/// A large file that is replaced rather than changed.
static void addStamp(FieldHash &hash, StringRef path) {
  sys::fs::file_status status;
  hash.add(path);
  if (!sys::fs::status(path, status))
    hash.addNumber(status.getSize())
        .addNumber(status.getLastModificationTime().time_since_epoch().count());
}

/// The code of this compiler: the object that holds this function, and the
/// libraries it stands on.
static void addCompiler(FieldHash &hash) {
  hash.add(LLVM_VERSION_STRING);
  auto visit = [](dl_phdr_info *info, size_t, void *data) {
    FieldHash &hash = *static_cast<FieldHash *>(data);
    auto self = reinterpret_cast<uintptr_t>(&addCompiler);
    bool isOurs = false;
    for (auto &part : ArrayRef(info->dlpi_phdr, info->dlpi_phnum)) {
      uintptr_t begin = info->dlpi_addr + part.p_vaddr;
      isOurs |= part.p_type == PT_LOAD && self >= begin &&
                self < begin + part.p_memsz;
    }
    StringRef path = info->dlpi_name;
    StringRef name = sys::path::filename(path);
    if (isOurs)
      addContent(hash, path.empty() ? "/proc/self/exe" : path);
    else if (name.starts_with("libLLVM") || name.starts_with("libMLIR") ||
             name.starts_with("libprotobuf"))
      addStamp(hash, path);
    return 0;
  };
  dl_iterate_phdr(visit, &hash);
}

static void addHost(FieldHash &hash) {
  // What is computed at compile time depends on what the host can run.
  StringMap<bool> features = sys::getHostCPUFeatures();
  std::vector<StringRef> names;
  for (const auto &feature : features)
    if (feature.second)
      names.push_back(feature.first());
  llvm::sort(names);
  hash.add(sys::getProcessTriple()).add(join(names, ","));
}

/// All that decides about the artifact but the model's files.
static std::string describe(const CompileOptions &options,
                            ArtifactCache::Targets targets, StringRef prefix) {
  // A new option does not compile here until it is decided whether it belongs
  // to the key.
  const auto &[input, bytes, output, target, cpu, gpu, shapes, dims, states,
               fusion, layout, memoryPlan, precision, name, weights, optLevel,
               jobs, timing, progress, printIRAfter, runtimeLibrary,
               explainFusion, onDiagnostic, onStage, intermediates, cache,
               cachePolicy] = options;
  FieldHash hash;
  addCompiler(hash);
  addHost(hash);
  addContent(hash, getRuntimeLibrary(options));
  // Symbols in a shared library have the versions of this one's.
  addStamp(hash, findCLibrary());
  for (const TargetInterface *target : targets)
    hash.add(target->getIdentity());
  for (const auto &[name, shape] : shapes) {
    hash.add("shape").add(name);
    for (int64_t size : shape)
      hash.addNumber(size);
  }
  for (const auto &[name, size] : dims)
    hash.add("dim").add(name).addNumber(size);
  for (const std::string &state : states)
    hash.add("state").add(state);
  for (const std::string *text :
       {&target, &fusion, &layout, &memoryPlan, &precision, &weights})
    hash.add(*text);
  hash.addNumber(optLevel).addNumber(explainFusion).addNumber(intermediates);
  hash.add(prefix);
  hash.add(sys::path::extension(output)).add(sys::path::extension(input));
  return hash.finish();
}

//===----------------------------------------------------------------------===//
// Keys
//===----------------------------------------------------------------------===//

ArtifactCache::ArtifactCache(const CompileOptions &options, Targets targets,
                             StringRef prefix)
    : options(options), circumstances(describe(options, targets, prefix)),
      modelKey(hashModel()) {}

std::optional<std::string> ArtifactCache::hashModel() const {
  FieldHash hash;
  hash.add(circumstances);
  if (!options.bytes.empty())
    return hash.add(asText(options.bytes)).finish();
  std::unique_ptr<MemoryBuffer> model = readFile(options.input);
  if (!model)
    return std::nullopt;
  return hash.add(model->getBuffer()).finish();
}

std::optional<std::string>
ArtifactCache::hashArtifact(ArrayRef<std::string> externalFiles) const {
  FieldHash hash;
  hash.add(*modelKey);
  ExternalData external(options.bytes.empty() ? getBaseDirectory(options.input)
                                              : "");
  for (const std::string &location : externalFiles) {
    std::string error;
    std::shared_ptr<MappedFile> file = external.open(location, error);
    if (!file)
      return std::nullopt;
    hash.add(location).add(asText(file->getBytes()));
  }
  return hash.finish();
}

std::string ArtifactCache::getPath(StringRef key, StringRef role) const {
  SmallString<128> path(options.cache);
  sys::path::append(path, "llvmcache-" + key + role);
  return path.str().str();
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

/// The list `name` that a file of JSON holds.
static std::optional<json::Array> readList(StringRef path, StringRef name) {
  std::unique_ptr<MemoryBuffer> text = readFile(path);
  if (!text)
    return std::nullopt;
  Expected<json::Value> value = json::parse(text->getBuffer());
  if (!value) {
    consumeError(value.takeError());
    return std::nullopt;
  }
  json::Object *object = value->getAsObject();
  json::Array *list = object ? object->getArray(name) : nullptr;
  return list ? std::make_optional(std::move(*list)) : std::nullopt;
}

std::optional<std::vector<ArtifactCache::File>> ArtifactCache::find() const {
  if (!modelKey)
    return std::nullopt;
  auto locations = readList(getPath(*modelKey), "external");
  if (!locations)
    return std::nullopt;
  std::vector<std::string> externalFiles;
  for (const json::Value &location : *locations)
    externalFiles.push_back(location.getAsString().value_or("").str());
  std::optional<std::string> key = hashArtifact(externalFiles);
  auto list = key ? readList(getPath(*key), "files") : std::nullopt;
  if (!list)
    return std::nullopt;
  std::vector<File> files;
  for (const json::Value &value : *list) {
    const json::Object *entry = value.getAsObject();
    auto role = entry ? entry->getString("role") : std::nullopt;
    auto expected = entry ? entry->getString("hash") : std::nullopt;
    if (!role || !expected)
      return std::nullopt;
    std::unique_ptr<MemoryBuffer> content = readFile(getPath(*key, *role));
    if (!content || FieldHash().add(content->getBuffer()).finish() != *expected)
      return std::nullopt;
    files.push_back({role->str(), std::move(content)});
  }
  return files;
}

Error ArtifactCache::store(ArrayRef<NewFile> files,
                           ArrayRef<std::string> externalFiles) const {
  if (!modelKey || hashModel() != modelKey)
    return Error::success();
  std::optional<std::string> key = hashArtifact(externalFiles);
  if (!key)
    return Error::success();
  if (std::error_code code = sys::fs::create_directories(
          options.cache, /*IgnoreExisting=*/true, sys::fs::owner_all))
    return createStringError(code, "cannot make the folder '" + options.cache +
                                       "': " + code.message());
  PendingFiles pending;
  auto write = [&](const std::string &path, auto content) {
    return pending.write(path, [&](raw_ostream &os) {
      os << content;
      return Error::success();
    });
  };
  json::Array list;
  for (const NewFile &file : files) {
    std::unique_ptr<MemoryBuffer> content = readFile(file.path);
    if (!content)
      return createStringError("cannot read '" + file.path + "'");
    if (Error error = write(getPath(*key, file.role), content->getBuffer()))
      return error;
    list.push_back(
        json::Object{{"role", file.role},
                     {"hash", FieldHash().add(content->getBuffer()).finish()}});
  }
  // What refers to others comes last.
  if (Error error = write(
          getPath(*key), json::Value(json::Object{{"files", std::move(list)}})))
    return error;
  if (Error error = write(
          getPath(*modelKey),
          json::Value(json::Object{{"external", json::Array(externalFiles)}})))
    return error;
  if (Error error = pending.commit())
    return error;
  Expected<CachePruningPolicy> policy =
      parseCachePruningPolicy(options.cachePolicy);
  if (!policy)
    return policy.takeError();
  pruneCache(options.cache, *policy);
  return Error::success();
}

std::string lathe::findWrongCachePolicy(StringRef policy) {
  Expected<CachePruningPolicy> parsed = parseCachePruningPolicy(policy);
  if (parsed)
    return "";
  return ("expected --cache-policy=cache_size_bytes=10g:prune_after=720h, got "
          "'" +
          policy + "': " + toString(parsed.takeError()))
      .str();
}
