// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Tensors.h"
#include "Values.h"
#include <algorithm>
#include <cstdlib>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>

namespace nb = nanobind;
using namespace lathe::python;

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

void lathe::python::raise(const char *name, const std::string &message) {
  nb::object type = nb::module_::import_("lathe.errors").attr(name);
  PyErr_SetString(type.ptr(), message.c_str());
  throw nb::python_error();
}

void lathe::python::setError(const RuntimeFailure &failure) {
  nb::object errors = nb::module_::import_("lathe.errors");
  bool isArgument = failure.status == LATHE_INVALID_ARGUMENT;
  nb::object type = errors.attr(isArgument ? "InvalidArgument" : "RunError");
  nb::object error =
      isArgument ? type(failure.what()) : type(failure.what(), failure.status);
  PyErr_SetObject(type.ptr(), error.ptr());
}

[[noreturn]] static void raiseFor(const Signature &expected,
                                  const std::string &message) {
  raise("InvalidArgument", "input '" + expected.name + "': " + message);
}

static std::string toText(nb::handle object) {
  return nb::cast<std::string>(nb::str(object));
}

ElementType lathe::python::findElement(DLDataType dtype) {
  nb::object found = nb::module_::import_("lathe._types")
                         .attr("find_element")(dtype.code, dtype.bits);
  nb::object type = found[0], storage = found[1];
  return {type, storage, nb::cast<int64_t>(found[2]), type.equal(storage)};
}

//===----------------------------------------------------------------------===//
// Arguments
//===----------------------------------------------------------------------===//

static nb::object getNumpy(const char *name) {
  return nb::module_::import_("numpy").attr(name);
}

static bool isArray(nb::handle object) {
  static nb::handle type = getNumpy("ndarray").release();
  return nb::isinstance(object, type);
}

void Argument::take(nb::handle object, const Signature &expected,
                    const ElementType &element) {
  if (isArray(object))
    return borrowArray(nb::borrow(object), expected, element);
  if (nb::hasattr(object, "__dlpack__") &&
      nb::hasattr(object, "__dlpack_device__"))
    return borrowCapsule(object, expected);
  nb::object array;
  try {
    array = getNumpy("asarray")(object, element.type);
  } catch (nb::python_error &error) {
    raiseFor(expected, "expected an array, got " +
                           toText(object.type().attr("__name__")) + ": " +
                           toText(error.value()));
  }
  borrowArray(std::move(array), expected, element);
}

void Argument::takeValue(const lathe_model *model, nb::handle object,
                         const Signature &expected) {
  value = makeValue(model, expected, object);
  DLTensor described;
  if (!lathe_value_get_tensor(model, value.get(), &described))
    shape.assign(described.shape, described.shape + described.ndim);
  view.data = value.get();
  view.device = {kDLCPU, 0};
  view.dtype = valueType;
}

void Argument::borrowArray(nb::object array, const Signature &expected,
                           const ElementType &element) {
  nb::object type = array.attr("dtype");
  if (!type.is(element.type) && !type.equal(element.type))
    raiseFor(expected,
             "expected type " + toText(element.type) + ", got " + toText(type));
  view.device = {kDLCPU, 0};
  view.dtype = expected.dtype;
  if (element.bytes == 0) {
    for (nb::handle size : nb::tuple(array.attr("shape")))
      shape.push_back(nb::cast<int64_t>(size));
    array = nb::module_::import_("lathe._types").attr("pack")(array);
  } else if (!element.isNative) {
    array = array.attr("view")(element.storage);
  }
  auto getBuffer = [&] {
    if (PyObject_GetBuffer(array.ptr(), &buffer, PyBUF_STRIDES))
      throw nb::python_error();
    hasBuffer = true;
  };
  getBuffer();
  auto isBetweenElements = [&](Py_ssize_t stride) {
    return stride % buffer.itemsize != 0;
  };
  if (std::any_of(buffer.strides, buffer.strides + buffer.ndim,
                  isBetweenElements)) { // A field of a structure.
    releaseBuffer();
    array = array.attr("copy")();
    getBuffer();
  }
  view.data = buffer.buf;
  if (element.bytes) {
    shape.assign(buffer.shape, buffer.shape + buffer.ndim);
    for (int d = 0; d < buffer.ndim; ++d)
      strides.push_back(buffer.strides[d] / buffer.itemsize);
    view.strides = strides.data();
  }
  view.ndim = static_cast<int32_t>(shape.size());
  view.shape = shape.data();
}

void Argument::borrowCapsule(nb::handle object, const Signature &expected) {
  nb::object capsule;
  try {
    // The device is asked for first: another one would copy to the CPU, or
    // wait for it.
    auto device = nb::cast<nb::tuple>(object.attr("__dlpack_device__")());
    auto kind = nb::cast<int32_t>(nb::int_(device[0]));
    if (kind != kDLCPU && kind != kDLCUDAHost)
      raiseFor(expected, "expected memory of the CPU, got a tensor of DLPack's "
                         "device type " +
                             std::to_string(kind));
    nb::object produce = object.attr("__dlpack__");
    try {
      capsule = produce(nb::arg("max_version") = nb::make_tuple(1, 1));
    } catch (nb::python_error &error) {
      if (!error.matches(PyExc_TypeError))
        throw;
      capsule = produce(); // A producer older than versions.
    }
  } catch (nb::python_error &error) {
    if (error.matches(
            nb::module_::import_("lathe.errors").attr("InvalidArgument")))
      throw;
    raiseFor(expected, "expected a tensor that DLPack can share: " +
                           toText(error.value()));
  }
  if (PyCapsule_IsValid(capsule.ptr(), "dltensor_versioned")) {
    versioned = static_cast<DLManagedTensorVersioned *>(
        PyCapsule_GetPointer(capsule.ptr(), "dltensor_versioned"));
    PyCapsule_SetName(capsule.ptr(), "used_dltensor_versioned");
    if (versioned->version.major != DLPACK_MAJOR_VERSION)
      raiseFor(expected, "expected version 1 of DLPack, got " +
                             std::to_string(versioned->version.major));
    view = versioned->dl_tensor;
  } else if (PyCapsule_IsValid(capsule.ptr(), "dltensor")) {
    managed = static_cast<DLManagedTensor *>(
        PyCapsule_GetPointer(capsule.ptr(), "dltensor"));
    PyCapsule_SetName(capsule.ptr(), "used_dltensor");
    view = managed->dl_tensor;
  } else {
    raiseFor(expected, "expected a capsule of DLPack from " +
                           toText(object.type().attr("__name__")));
  }
}

void Argument::releaseBuffer() {
  if (hasBuffer)
    PyBuffer_Release(&buffer);
  hasBuffer = false;
}

Argument::~Argument() {
  releaseBuffer();
  if (managed && managed->deleter)
    managed->deleter(managed);
  if (versioned && versioned->deleter)
    versioned->deleter(versioned);
}

//===----------------------------------------------------------------------===//
// Results
//===----------------------------------------------------------------------===//

static int64_t countElements(const std::vector<int64_t> &shape) {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  return count;
}

static nb::object toTuple(const std::vector<int64_t> &shape) {
  nb::object tuple = nb::steal(PyTuple_New(shape.size()));
  for (size_t d = 0; d < shape.size(); ++d)
    PyTuple_SET_ITEM(tuple.ptr(), d, PyLong_FromLongLong(shape[d]));
  return tuple;
}

Result::Result(const lathe_model *model, const Signature &expected,
               const ElementType &element, std::vector<int64_t> given)
    : model(model), expected(expected), element(element),
      shape(std::move(given)) {
  DLDataType dtype = expected.dtype;
  if (!isPlain() || std::any_of(shape.begin(), shape.end(),
                                [](int64_t size) { return size < 0; }))
    return;
  static nb::handle empty = getNumpy("empty").release();
  // Elements that share bytes are packed into a flat array.
  array = element.bytes ? empty(toTuple(shape), element.storage)
                        : empty((countElements(shape) * dtype.bits + 7) / 8,
                                element.storage);
  Py_buffer buffer;
  if (PyObject_GetBuffer(array.ptr(), &buffer, PyBUF_WRITABLE))
    throw nb::python_error();
  view.data = buffer.buf;
  PyBuffer_Release(&buffer); // The array keeps its memory.
  view.device = {kDLCPU, 0};
  view.dtype = dtype;
  view.ndim = static_cast<int32_t>(shape.size());
  view.shape = shape.data();
}

Result::~Result() {
  if (array.is_valid())
    return;
  if (isPlain())
    free(view.data);
  else if (view.data)
    lathe_value_release(model, static_cast<lathe_value *>(view.data));
}

nb::object Result::take() {
  DLDataType dtype = expected.dtype;
  if (!isPlain())
    return readValue(model, static_cast<lathe_value *>(view.data));
  if (!array.is_valid()) {
    shape.assign(view.shape, view.shape + view.ndim);
    nb::capsule owner(view.data, [](void *memory) noexcept { free(memory); });
    size_t bytes =
        static_cast<size_t>((countElements(shape) * dtype.bits + 7) / 8);
    nb::ndarray<nb::numpy, uint8_t, nb::ndim<1>> made(view.data, 1, &bytes,
                                                      owner);
    array = nb::cast(made);
    if (element.bytes)
      array =
          array.attr("view")(element.storage).attr("reshape")(toTuple(shape));
  }
  if (element.bytes == 0)
    return nb::module_::import_("lathe._types")
        .attr("unpack")(array, element.type, toTuple(shape));
  return element.isNative ? array : array.attr("view")(element.type);
}
