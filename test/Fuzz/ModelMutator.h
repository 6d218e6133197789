// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Changes of ONNX models that keep them readable, so that a fuzzer gets past
// the parser.

#ifndef LATHE_TEST_FUZZ_MODELMUTATOR_H
#define LATHE_TEST_FUZZ_MODELMUTATOR_H

#include <cstddef>
#include <cstdint>

namespace lathe::fuzz {

/// Changes the serialized model of `size` bytes at `data` in place, as `seed`
/// says. Returns its new size, at most `maxSize`; 0 where the bytes are no
/// model, or the change does not fit.
size_t mutateModel(uint8_t *data, size_t size, size_t maxSize, unsigned seed);

/// Puts a part of the second model into the first and writes the result to
/// `out`. Returns its size; 0 as above.
size_t crossModels(const uint8_t *first, size_t firstSize,
                   const uint8_t *second, size_t secondSize, uint8_t *out,
                   size_t maxSize, unsigned seed);

} // namespace lathe::fuzz

#endif // LATHE_TEST_FUZZ_MODELMUTATOR_H
