// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "CompileFlags.h"
#include "Commands.h"
#include "lathe/Pipeline/Compile.h"
#include "lathe/Pipeline/Options.h"
#include <deque>

using namespace lathe::driver;
using namespace llvm;

cl::OptionCategory &lathe::driver::getCompileCategory() {
  static cl::OptionCategory category("Compile options");
  return category;
}

namespace {
/// A modifier of flags: puts one into the commands that its scope asks for.
struct CommandsOf {
  lathe::OptionScope scope;
  template <typename Flag> void apply(Flag &flag) const {
    flag.addSubCommand(getCompileCommand());
    if (scope == lathe::OptionScope::Artifact)
      return;
    if (scope != lathe::OptionScope::Work)
      flag.addSubCommand(getInspectCommand());
    if (scope == lathe::OptionScope::Sizes)
      return;
    flag.addSubCommand(getRunCommand());
    flag.addSubCommand(getVerifyCommand());
    flag.addSubCommand(getBenchCommand());
    flag.addSubCommand(getReportCommand());
  }
};

struct CompileFlag {
  CompileFlag(const lathe::OptionInfo &option)
      : option(option), help(describe(option)),
        flag(StringRef(option.name), cl::desc(help),
             cl::value_desc(option.valueName.empty()
                                ? StringRef("true|false")
                                : StringRef(option.valueName)),
             option.kind == lathe::OptionKind::Flag ? cl::ValueOptional
                                                    : cl::ValueRequired,
             cl::cat(getCompileCategory()), CommandsOf{option.scope}) {
    if (option.name.size() == 1)
      flag.setFormattingFlag(cl::Prefix);
  }
  static std::string describe(const lathe::OptionInfo &option) {
    std::string help = option.help.str();
    if (!option.defaultValue.empty())
      help += " (default " + option.defaultValue.str() + ")";
    return help;
  }

  const lathe::OptionInfo &option;
  std::string help; ///< The flag refers to it.
  cl::list<std::string> flag;
};
} // namespace

static std::deque<CompileFlag> &getFlags() {
  static std::deque<CompileFlag> flags;
  return flags;
}

void lathe::driver::addCompileFlags() {
  for (const lathe::OptionInfo &option : lathe::getOptionTable())
    getFlags().emplace_back(option);
}

OptionTexts lathe::driver::getCompileFlags() {
  OptionTexts texts;
  for (const CompileFlag &flag : getFlags())
    for (const std::string &value : flag.flag)
      texts.emplace_back(flag.option.name.str(), value);
  return texts;
}

std::string lathe::driver::setOptions(CompileOptions &options,
                                      const OptionTexts &texts) {
  for (const auto &[name, value] : texts)
    if (std::string wrong = setOption(options, name, value); !wrong.empty())
      return wrong;
  return findWrongOption(options);
}
