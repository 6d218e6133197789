# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""lit's view of test/Models: a model.onnx is a test, run by run_models.py.

A model named in xfail.txt is expected to fail; if it passes, that fails, so
that the list only shrinks."""

import os

import lit.formats
import lit.Test
import lit.util


def read_expected_failures(path):
    """The lines "name: reason" of a file, as a dictionary."""
    failures = {}
    with open(path) as file:
        for line in file:
            name, colon, reason = line.split("#")[0].strip().partition(":")
            if colon:
                failures[name.strip()] = reason.strip()
    return failures


class ModelTest(lit.formats.ShTest):
    def __init__(self, config):
        super().__init__(execute_external=False)
        self.folder = os.path.join(config.lathe_source_dir, "test", "Models")
        self.command = [config.lathe_python,
                        os.path.join(self.folder, "run_models.py"),
                        os.path.join(config.lathe_build_dir, "bin", "lathe")]

    def execute(self, test, lit_config):
        path = test.getSourcePath()
        if os.path.basename(path) != "model.onnx":
            return super().execute(test, lit_config)
        folder = os.path.dirname(path)
        expected = read_expected_failures(os.path.join(self.folder, "xfail.txt"))
        if os.path.basename(folder) in expected:
            test.xfails = ["*"]
        command = [*self.command, folder]
        try:
            out, err, code = lit.util.executeCommand(
                command, env=test.config.environment,
                timeout=test.config.maxIndividualTestTime)
        except lit.util.ExecuteCommandTimeoutException as error:
            return lit.Test.TIMEOUT, error.out + error.err
        if code == 0:
            return lit.Test.PASS, ""
        return lit.Test.FAIL, " ".join(command) + "\n" + out + err
