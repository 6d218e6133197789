// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// lathe._native: compiled models for lathe/session.py, which is what users see.

#include "Tensors.h"
#include <deque>
#include <memory>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

namespace nb = nanobind;
using namespace lathe::python;

namespace {
/// A model with the NumPy types of its inputs and outputs.
struct PyModel {
  PyModel(const std::string &path, const std::string &entry,
          const std::string &weights, int32_t threads, bool flushDenormals);

  nb::list run(nb::sequence feeds, const std::vector<size_t> &wanted);
  nb::list describe(const std::vector<Signature> &signatures) const;
  nb::dict getMetadata() const;
  nb::dict getMemory();

  std::unique_ptr<Model> model;
  std::vector<ElementType> inputs, outputs;
};
} // namespace

static std::vector<ElementType>
findElements(const std::vector<Signature> &signatures) {
  std::vector<ElementType> elements;
  for (const Signature &signature : signatures)
    elements.push_back(findElement(signature.dtype));
  return elements;
}

PyModel::PyModel(const std::string &path, const std::string &entry,
                 const std::string &weights, int32_t threads,
                 bool flushDenormals) {
  {
    nb::gil_scoped_release unlocked;
    model =
        std::make_unique<Model>(path, entry, weights, threads, flushDenormals);
  }
  inputs = findElements(model->getInputs());
  outputs = findElements(model->getOutputs());
}

/// The outputs' shapes for these inputs.
static std::vector<std::vector<int64_t>>
inferShapes(Model &model, Model::Use &use,
            const std::vector<Argument> &arguments) {
  std::vector<std::vector<int64_t>> shapes;
  std::vector<const int64_t *> given;
  std::vector<int64_t *> found;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const Signature &expected = model.getInputs()[i];
    // The runtime trusts the number of sizes behind each pointer.
    bool isChecked = expected.type.empty() || !expected.dims.empty();
    if (isChecked && arguments[i].getRank() != expected.dims.size())
      throw RuntimeFailure(LATHE_INVALID_ARGUMENT,
                           "input '" + expected.name + "': expected " +
                               std::to_string(expected.dims.size()) +
                               " dimensions, got " +
                               std::to_string(arguments[i].getRank()));
    given.push_back(arguments[i].getShape());
  }
  for (const Signature &output : model.getOutputs())
    shapes.emplace_back(output.dims.size());
  for (std::vector<int64_t> &shape : shapes)
    found.push_back(shape.data());
  use.check(lathe_infer_shapes(use.get(), given.data(), found.data()));
  return shapes;
}

nb::list PyModel::run(nb::sequence feeds, const std::vector<size_t> &wanted) {
  const std::vector<Signature> &expected = model->getInputs();
  if (nb::len(feeds) != expected.size())
    raise("InvalidArgument", "expected " + std::to_string(expected.size()) +
                                 " inputs, got " +
                                 std::to_string(nb::len(feeds)));
  std::vector<Argument> arguments(expected.size());
  std::vector<DLTensor> inputViews, outputViews;
  for (size_t i = 0; i < expected.size(); ++i) {
    nb::object feed = feeds[i];
    if (expected[i].type.empty())
      arguments[i].take(feed, expected[i], inputs[i]);
    else
      arguments[i].takeValue(model->get(), feed, expected[i]);
    inputViews.push_back(arguments[i].getView());
  }
  Model::Use use(*model);
  std::deque<Result> results;
  std::vector<std::vector<int64_t>> shapes =
      inferShapes(*model, use, arguments);
  for (size_t o = 0; o < shapes.size(); ++o) {
    results.emplace_back(model->get(), model->getOutputs()[o], outputs[o],
                         std::move(shapes[o]));
    outputViews.push_back(results[o].getView());
  }
  {
    nb::gil_scoped_release unlocked;
    use.check(lathe_run(use.get(), inputViews.data(), outputViews.data()));
  }
  nb::list taken;
  for (size_t o = 0; o < results.size(); ++o)
    results[o].getView() = outputViews[o]; // Those that the run has made.
  for (size_t o : wanted)
    taken.append(results[o].take());
  return taken;
}

static nb::object toStr(const std::string &text) {
  return toStr(text.data(), text.size());
}

nb::list PyModel::describe(const std::vector<Signature> &signatures) const {
  nb::list list;
  for (const Signature &signature : signatures) {
    nb::list dims;
    for (const Signature::Dim &dim : signature.dims) {
      if (dim.size >= 0)
        dims.append(dim.size);
      else if (dim.name.empty())
        dims.append(nb::none());
      else
        dims.append(toStr(dim.name));
    }
    list.append(nb::make_tuple(toStr(signature.name), signature.dtype.code,
                               signature.dtype.bits, nb::tuple(dims),
                               signature.type));
  }
  return list;
}

nb::dict PyModel::getMetadata() const {
  nb::dict metadata;
  const char *key, *value;
  for (int32_t i = 0; (key = lathe_model_get_metadata(model->get(), i, &value));
       ++i)
    metadata[toStr(std::string(key))] = toStr(std::string(value));
  return metadata;
}

nb::dict PyModel::getMemory() {
  Model::Use use(*model);
  lathe_memory_info info;
  use.check(lathe_context_get_memory(use.get(), &info));
  nb::dict memory;
  memory["arena_bytes"] = info.arena_bytes;
  memory["lower_bound"] = info.lower_bound;
  memory["scratch_bytes"] = info.scratch_bytes;
  memory["staging_bytes"] = info.staging_bytes;
  memory["weights_bytes"] = info.weights_bytes;
  return memory;
}

NB_MODULE(_native, module) {
  nb::register_exception_translator(
      [](const std::exception_ptr &pointer, void *) {
        try {
          std::rethrow_exception(pointer);
        } catch (const RuntimeFailure &failure) {
          setError(failure);
        }
      });
  nb::class_<PyModel>(module, "Model")
      .def(nb::init<const std::string &, const std::string &,
                    const std::string &, int32_t, bool>(),
           nb::arg("path"), nb::arg("entry"), nb::arg("weights"),
           nb::arg("threads"), nb::arg("flush_denormals"))
      .def("run", &PyModel::run, nb::arg("feeds"), nb::arg("wanted"))
      .def_prop_ro("inputs",
                   [](const PyModel &self) {
                     return self.describe(self.model->getInputs());
                   })
      .def_prop_ro("outputs",
                   [](const PyModel &self) {
                     return self.describe(self.model->getOutputs());
                   })
      .def_prop_ro("name",
                   [](const PyModel &self) {
                     return std::string(lathe_model_name(self.model->get()));
                   })
      .def_prop_ro("target",
                   [](PyModel &self) {
                     Model::Use use(*self.model);
                     return std::string(lathe_context_target(use.get()));
                   })
      .def_prop_ro("threads",
                   [](PyModel &self) {
                     Model::Use use(*self.model);
                     return lathe_context_num_threads(use.get());
                   })
      .def_prop_ro("metadata", &PyModel::getMetadata)
      .def_prop_ro("memory", &PyModel::getMemory);
}
