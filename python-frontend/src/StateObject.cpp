// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "StateObject.h"
#include <nanobind/ndarray.h>

namespace nb = nanobind;
using namespace lathe::python;

StateObject::StateObject(std::shared_ptr<Model> model,
                         std::vector<std::vector<int64_t>> shapes)
    : State(std::move(model), std::move(shapes)) {
  for (size_t s = 0; s < size(); ++s)
    elements.push_back(findElement(getInput(s).dtype));
}

nb::object StateObject::view(size_t index) {
  using Memory = std::shared_ptr<char>;
  const ElementType &element = elements[index];
  int32_t axis = getInfo(index).axis;
  DLTensor held = getView(index);
  nb::capsule owner(new Memory(getMemory(index)), [](void *memory) noexcept {
    delete static_cast<Memory *>(memory);
  });
  auto bytes = static_cast<size_t>(getHeldBytes(index));
  nb::ndarray<nb::numpy, uint8_t, nb::ndim<1>> made(held.data, 1, &bytes,
                                                    owner);
  // As it lies in memory, and then with the axis where the model has it.
  nb::list shape, order;
  for (int32_t d = 0; d < held.ndim; ++d) {
    order.append(d < axis ? d + 1 : d == axis ? 0 : d);
    if (d != axis)
      shape.append(held.shape[d]);
  }
  if (axis >= 0)
    shape.insert(0, held.shape[axis]);
  nb::object array = nb::cast(made)
                         .attr("view")(element.type)
                         .attr("reshape")(nb::tuple(shape));
  return axis > 0 ? array.attr("transpose")(nb::tuple(order)) : array;
}

void StateObject::assign(size_t index, nb::handle array) {
  Use use(*this);
  int32_t axis = getInfo(index).axis;
  if (axis >= 0)
    setLength(index, nb::cast<int64_t>(array.attr("shape")[axis]));
  view(index).attr("__setitem__")(nb::ellipsis(), array);
}

void lathe::python::defineState(nb::module_ &module) {
  nb::class_<StateObject>(module, "State")
      .def("view", &StateObject::view, nb::arg("index"))
      .def("assign", &StateObject::assign, nb::arg("index"), nb::arg("array"))
      .def(
          "set_length",
          [](StateObject &self, int64_t length) {
            State::Use use(self);
            for (size_t s = 0; s < self.size(); ++s)
              self.setLength(s, length);
          },
          nb::arg("length"))
      .def("reset",
           [](StateObject &self) {
             State::Use use(self);
             self.reset();
           })
      .def("copy",
           [](StateObject &self) {
             State::Use use(self);
             return new StateObject(self);
           })
      .def_prop_ro("nbytes", &StateObject::getBytes);
}
