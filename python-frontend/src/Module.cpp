// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// lathe._native: compiled models for lathe/session.py, which is what users see.

#include "StateObject.h"
#include "Tensors.h"
#include <deque>
#include <memory>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>
#include <optional>

namespace nb = nanobind;
using namespace lathe::python;

namespace {
/// What a run reads, in the model's order.
struct Inputs {
  std::deque<Argument> arguments; ///< Of those that are no states.
  std::vector<DLTensor> views;
  std::vector<const int64_t *> shapes;
};

/// A model with the NumPy types of its inputs and outputs.
struct PyModel {
  PyModel(const std::string &path, const std::string &entry,
          const std::string &weights, int32_t threads, bool flushDenormals);

  /// `feeds` are the inputs that are no states; `state` is there if the model
  /// has any.
  nb::list run(nb::sequence feeds, const std::vector<size_t> &wanted,
               StateObject *state);
  void takeInputs(nb::sequence feeds, StateObject *state, Inputs &taken) const;
  StateObject *makeState(std::vector<std::vector<int64_t>> shapes) const;
  nb::list describe(const std::vector<Signature> &signatures) const;
  nb::list describeStates() const;
  nb::dict getMetadata() const;
  nb::dict getMemory();

  std::shared_ptr<Model> model;
  std::vector<ElementType> inputs, outputs;
  /// The state that each input and output is, if any.
  std::vector<std::optional<size_t>> inputStates, outputStates;
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
        std::make_shared<Model>(path, entry, weights, threads, flushDenormals);
  }
  inputs = findElements(model->getInputs());
  outputs = findElements(model->getOutputs());
  inputStates.resize(inputs.size());
  outputStates.resize(outputs.size());
  const std::vector<lathe_state_info> &states = model->getStates();
  for (size_t s = 0; s < states.size(); ++s) {
    inputStates[states[s].input] = s;
    outputStates[states[s].output] = s;
  }
}

/// The outputs' shapes for these inputs.
static std::vector<std::vector<int64_t>>
inferShapes(Model &model, Model::Use &use,
            const std::vector<const int64_t *> &given) {
  std::vector<std::vector<int64_t>> shapes;
  std::vector<int64_t *> found;
  for (const Signature &output : model.getOutputs())
    shapes.emplace_back(output.dims.size());
  for (std::vector<int64_t> &shape : shapes)
    found.push_back(shape.data());
  use.check(lathe_infer_shapes(use.get(), given.data(), found.data()));
  return shapes;
}

/// The runtime trusts the number of sizes behind the pointer to a shape.
static void checkRank(const Signature &expected, const Argument &argument) {
  bool isChecked = expected.type.empty() || !expected.dims.empty();
  if (isChecked && argument.getRank() != expected.dims.size())
    throw RuntimeFailure(LATHE_INVALID_ARGUMENT,
                         "input '" + expected.name + "': expected " +
                             std::to_string(expected.dims.size()) +
                             " dimensions, got " +
                             std::to_string(argument.getRank()));
}

void PyModel::takeInputs(nb::sequence feeds, StateObject *state,
                         Inputs &taken) const {
  const std::vector<Signature> &expected = model->getInputs();
  size_t count = expected.size() - model->getStates().size();
  if (nb::len(feeds) != count)
    raise("InvalidArgument", "expected " + std::to_string(count) +
                                 " inputs, got " +
                                 std::to_string(nb::len(feeds)));
  size_t next = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    if (inputStates[i]) {
      taken.views.push_back(state->getView(*inputStates[i]));
      taken.shapes.push_back(taken.views[i].shape);
      continue;
    }
    Argument &argument = taken.arguments.emplace_back();
    nb::object feed = feeds[next++];
    if (expected[i].type.empty())
      argument.take(feed, expected[i], inputs[i]);
    else
      argument.takeValue(model->get(), feed, expected[i]);
    checkRank(expected[i], argument);
    taken.views.push_back(argument.getView());
    taken.shapes.push_back(argument.getShape());
  }
}

nb::list PyModel::run(nb::sequence feeds, const std::vector<size_t> &wanted,
                      StateObject *state) {
  const std::vector<lathe_state_info> &states = model->getStates();
  if (state ? &state->getModel() != model.get() : !states.empty())
    raise("InvalidArgument", "state: expected one that this session made");
  std::optional<State::Use> stateUse;
  if (state)
    stateUse.emplace(*state);
  Inputs given;
  takeInputs(feeds, state, given);
  Model::Use use(*model);
  std::vector<std::vector<int64_t>> shapes =
      inferShapes(*model, use, given.shapes);
  std::vector<DLTensor> outputViews(shapes.size());
  std::deque<std::optional<Result>> results(shapes.size());
  for (size_t o = 0; o < shapes.size(); ++o) {
    if (outputStates[o])
      continue;
    results[o].emplace(model->get(), model->getOutputs()[o], outputs[o],
                       std::move(shapes[o]));
    outputViews[o] = results[o]->getView();
  }
  {
    nb::gil_scoped_release unlocked;
    use.check(lathe_run(use.get(), given.views.data(), outputViews.data()));
  }
  for (size_t s = 0; s < states.size(); ++s)
    state->advance(s, use.get(), outputViews[states[s].output]);
  for (size_t o = 0; o < shapes.size(); ++o)
    if (results[o])
      results[o]->getView() = outputViews[o]; // Those that the run has made.
  nb::list taken;
  for (size_t o : wanted)
    taken.append(outputStates[o] ? state->view(*outputStates[o])
                                 : results[o]->take());
  return taken;
}

StateObject *
PyModel::makeState(std::vector<std::vector<int64_t>> shapes) const {
  return new StateObject(model, std::move(shapes));
}

nb::list PyModel::describeStates() const {
  nb::list list;
  for (const lathe_state_info &info : model->getStates())
    list.append(nb::make_tuple(info.input, info.output, info.axis, info.max));
  return list;
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
  defineState(module);
  nb::class_<PyModel>(module, "Model")
      .def(nb::init<const std::string &, const std::string &,
                    const std::string &, int32_t, bool>(),
           nb::arg("path"), nb::arg("entry"), nb::arg("weights"),
           nb::arg("threads"), nb::arg("flush_denormals"))
      .def("run", &PyModel::run, nb::arg("feeds"), nb::arg("wanted"),
           nb::arg("state").none() = nb::none())
      .def("new_state", &PyModel::makeState, nb::arg("shapes"))
      .def_prop_ro("inputs",
                   [](const PyModel &self) {
                     return self.describe(self.model->getInputs());
                   })
      .def_prop_ro("outputs",
                   [](const PyModel &self) {
                     return self.describe(self.model->getOutputs());
                   })
      .def_prop_ro("states", &PyModel::describeStates)
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
