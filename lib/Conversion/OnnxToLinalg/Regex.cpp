// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A recursive descent over RE2's syntax (github.com/google/re2/wiki/Syntax)
// that emits instructions as it goes. A part that is repeated is emitted again.
// Not supported: Unicode classes (\p), single bytes (\C), and letters beyond
// ASCII where case is ignored. Lazy and greedy repetition match the same texts
// as a whole.

#include "Regex.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;
using namespace lathe;

namespace {
enum Instruction : int64_t { Match, Split, Jump, Class, Assert };
enum Place : int64_t {
  TextBegin,
  TextEnd,
  LineBegin,
  LineEnd,
  WordEdge,
  NoWordEdge
};

using Ranges = SmallVector<std::pair<int64_t, int64_t>>;

class Compiler {
public:
  Compiler(StringRef pattern, RegexProgram &program)
      : rest(pattern), program(program) {}

  std::string run() {
    parseAlternatives(0);
    if (error.empty() && !rest.empty())
      fail("expected no ')' without a '('");
    emit(Match);
    return error;
  }

private:
  static constexpr size_t maxInstructions = 20000;
  static constexpr unsigned maxDepth = 200;
  static constexpr int64_t maxRepeat = 1000, lastCharacter = 0x10FFFF;

  struct Flags {
    bool ignoreCase = false, multiLine = false, dotAll = false;
  };

  void fail(const Twine &message) {
    if (error.empty())
      error = message.str();
  }
  int64_t size() { return program.code.size() / 3; }
  void emit(int64_t what, int64_t a = 0, int64_t b = 0) {
    if (size() >= static_cast<int64_t>(maxInstructions))
      return fail("expected a pattern of at most " + Twine(maxInstructions) +
                  " instructions");
    program.code.append({what, a, b});
  }
  void set(int64_t at, int64_t what, int64_t a, int64_t b) {
    if (at >= size())
      return; // after a failure
    program.code[3 * at] = what;
    program.code[3 * at + 1] = a;
    program.code[3 * at + 2] = b;
  }
  /// Opens a place for an instruction before those from `at` on.
  void insert(int64_t at, int64_t what, int64_t a, int64_t b);
  void emitClass(Ranges ranges, bool negated);
  void emitCharacter(int64_t c);

  void parseAlternatives(unsigned depth);
  void parseConcatenation(unsigned depth);
  bool parseAtom(unsigned depth);
  void parseGroup(unsigned depth);
  bool parseFlags(bool &isGroup, unsigned depth);
  void parseRepetition(int64_t begin);
  void repeat(int64_t begin, int64_t least, int64_t most);
  void parseClass();
  bool parseEscape(Ranges &ranges, bool inClass);
  bool addNamedClass(char name, Ranges &ranges);
  int64_t takeCharacter();
  int64_t takeHex();

  StringRef rest;
  RegexProgram &program;
  Flags flags;
  std::string error;
};
} // namespace

void Compiler::insert(int64_t at, int64_t what, int64_t a, int64_t b) {
  emit(Match);
  if (!error.empty())
    return;
  std::rotate(program.code.begin() + 3 * at, program.code.end() - 3,
              program.code.end());
  // Targets inside of what moved.
  for (int64_t i = at + 1; i < size(); ++i) {
    int64_t *code = &program.code[3 * i];
    if (code[0] != Split && code[0] != Jump)
      continue;
    code[1] += code[1] >= at;
    if (code[0] == Split)
      code[2] += code[2] >= at;
  }
  set(at, what, a, b);
}

void Compiler::emitClass(Ranges ranges, bool negated) {
  if (flags.ignoreCase) {
    for (auto [first, last] : Ranges(ranges)) {
      if (last > 0x7F && last != lastCharacter)
        return fail("expected no letters beyond ASCII where case is ignored");
      for (int64_t c = first; c <= std::min<int64_t>(last, 'z'); ++c)
        if (isAlpha(static_cast<char>(c)) && c < 0x80)
          ranges.push_back({c ^ 0x20, c ^ 0x20});
    }
  }
  llvm::sort(ranges);
  int64_t begin = program.ranges.size() / 2;
  auto add = [&](int64_t first, int64_t last) {
    if (first <= last)
      program.ranges.append({first, last});
  };
  int64_t next = 0;
  for (auto [first, last] : ranges) {
    if (!negated) {
      add(first, last);
      continue;
    }
    add(next, first - 1);
    next = std::max(next, last + 1);
  }
  if (negated)
    add(next, lastCharacter);
  emit(Class, begin, program.ranges.size() / 2);
}

void Compiler::emitCharacter(int64_t c) { emitClass({{c, c}}, false); }

void Compiler::parseAlternatives(unsigned depth) {
  if (depth > maxDepth)
    return fail("expected groups nested at most " + Twine(maxDepth) + " deep");
  Flags outer = flags;
  int64_t begin = size();
  SmallVector<int64_t> ends;
  parseConcatenation(depth);
  while (error.empty() && rest.consume_front("|")) {
    insert(begin, Split, begin + 1, 0);
    ends.push_back(size());
    emit(Jump);
    set(begin, Split, begin + 1, size());
    begin = size();
    parseConcatenation(depth);
  }
  for (int64_t end : ends)
    set(end, Jump, size(), 0);
  flags = outer;
}

void Compiler::parseConcatenation(unsigned depth) {
  while (error.empty() && !rest.empty() && rest.front() != '|' &&
         rest.front() != ')') {
    int64_t begin = size();
    if (parseAtom(depth))
      parseRepetition(begin);
  }
}

/// Parses what may be repeated; false if it was none.
bool Compiler::parseAtom(unsigned depth) {
  char c = rest.front();
  if (c == '(') {
    rest = rest.drop_front();
    if (rest.starts_with("?")) {
      bool isGroup = false;
      if (!parseFlags(isGroup, depth) || !isGroup)
        return false;
    }
    parseGroup(depth);
    return true;
  }
  if (c == '[') {
    parseClass();
    return true;
  }
  if (c == '*' || c == '+' || c == '?') {
    fail("expected something to repeat before '" + Twine(c) + "'");
    return false;
  }
  if (c == '.') {
    rest = rest.drop_front();
    if (flags.dotAll)
      emitClass({}, /*negated=*/true);
    else
      emitClass({{'\n', '\n'}}, /*negated=*/true);
    return true;
  }
  if (c == '^' || c == '$') {
    rest = rest.drop_front();
    bool isBegin = c == '^';
    emit(Assert, flags.multiLine ? (isBegin ? LineBegin : LineEnd)
                                 : (isBegin ? TextBegin : TextEnd));
    return true;
  }
  if (c == '\\') {
    if (rest.consume_front("\\Q")) {
      size_t end = rest.find("\\E");
      StringRef whole = rest;
      rest = rest.take_front(end);
      while (error.empty() && !rest.empty())
        emitCharacter(takeCharacter());
      rest = end == StringRef::npos ? StringRef() : whole.drop_front(end + 2);
      return false;
    }
    static constexpr std::pair<char, Place> places[] = {
        {'A', TextBegin}, {'z', TextEnd}, {'b', WordEdge}, {'B', NoWordEdge}};
    for (auto [name, place] : places)
      if (rest.size() > 1 && rest[1] == name) {
        rest = rest.drop_front(2);
        emit(Assert, place);
        return true;
      }
    Ranges ranges;
    rest = rest.drop_front();
    bool negated = parseEscape(ranges, /*inClass=*/false);
    emitClass(ranges, negated);
    return true;
  }
  emitCharacter(takeCharacter());
  return true;
}

void Compiler::parseGroup(unsigned depth) {
  parseAlternatives(depth + 1);
  if (error.empty() && !rest.consume_front(")"))
    fail("expected ')' to end a group");
}

/// Parses after "(?"'s parenthesis: a name, or flags for a group or from here
/// on. False on failure.
bool Compiler::parseFlags(bool &isGroup, unsigned depth) {
  rest = rest.drop_front();
  if (rest.consume_front("P<") || rest.consume_front("<")) {
    size_t end = rest.find('>');
    if (end == StringRef::npos || end == 0 ||
        !llvm::all_of(rest.take_front(end),
                      [](char c) { return isAlnum(c) || c == '_'; })) {
      fail("expected a name of a group");
      return false;
    }
    rest = rest.drop_front(end + 1);
    isGroup = true;
    return true;
  }
  Flags outer = flags;
  bool on = true;
  while (!rest.empty()) {
    char c = rest.front();
    rest = rest.drop_front();
    switch (c) {
    case 'i':
      flags.ignoreCase = on;
      break;
    case 'm':
      flags.multiLine = on;
      break;
    case 's':
      flags.dotAll = on;
      break;
    case 'U':
      break; // which repetitions are lazy makes no difference
    case '-':
      on = false;
      break;
    case ')':
      return true;
    case ':': {
      isGroup = false;
      // The group ends the flags, so it is parsed here.
      int64_t begin = size();
      parseGroup(depth);
      flags = outer;
      parseRepetition(begin);
      return error.empty();
    }
    default:
      fail("expected flags of i, m, s and U, got '" + Twine(c) + "'");
      return false;
    }
  }
  fail("expected ')' to end flags");
  return false;
}

void Compiler::parseRepetition(int64_t begin) {
  bool any = true, repeated = false;
  while (error.empty() && any && !rest.empty()) {
    any = true;
    int64_t least = 0, most = -1;
    if (rest.consume_front("*")) {
    } else if (rest.consume_front("+")) {
      least = 1;
    } else if (rest.consume_front("?")) {
      most = 1;
    } else if (rest.starts_with("{")) {
      // What is no repetition stands for itself.
      StringRef text = rest.drop_front();
      if (text.consumeInteger(10, least))
        return;
      most = least;
      if (text.consume_front(",")) {
        most = -1;
        if (!text.starts_with("}") && text.consumeInteger(10, most))
          return;
      }
      if (!text.consume_front("}"))
        return;
      if (least > maxRepeat || most > maxRepeat || (most >= 0 && most < least))
        return fail("expected a repetition of up to " + Twine(maxRepeat) +
                    " in order");
      rest = text;
    } else {
      return;
    }
    if (repeated)
      return fail("expected one repetition, got several");
    repeated = true;
    rest.consume_front("?");
    repeat(begin, least, most);
  }
}

/// Repeats the instructions from `begin` on; `most` -1: without an end.
void Compiler::repeat(int64_t begin, int64_t least, int64_t most) {
  int64_t length = size() - begin;
  SmallVector<int64_t> part(program.code.begin() + 3 * begin,
                            program.code.end());
  auto copy = [&] {
    int64_t shift = size() - begin;
    for (int64_t i = 0; i < length && error.empty(); ++i) {
      int64_t what = part[3 * i], a = part[3 * i + 1], b = part[3 * i + 2];
      bool jumps = what == Split || what == Jump;
      emit(what, jumps ? a + shift : a, what == Split ? b + shift : b);
    }
  };
  program.code.truncate(3 * begin);
  for (int64_t i = 0; i < least && error.empty(); ++i)
    copy();
  if (most < 0) {
    int64_t loop = size();
    emit(Split);
    copy();
    emit(Jump, loop);
    set(loop, Split, loop + 1, size());
    return;
  }
  SmallVector<int64_t> splits;
  for (int64_t i = least; i < most && error.empty(); ++i) {
    splits.push_back(size());
    emit(Split);
    copy();
  }
  for (int64_t split : splits)
    set(split, Split, split + 1, size());
}

/// The character at the front of the pattern, which is UTF-8.
int64_t Compiler::takeCharacter() {
  unsigned char first = rest.front();
  unsigned bytes = first < 0x80             ? 1
                   : (first & 0xE0) == 0xC0 ? 2
                   : (first & 0xF0) == 0xE0 ? 3
                   : (first & 0xF8) == 0xF0 ? 4
                                            : 0;
  int64_t c = bytes <= 1 ? first : first & (0x7F >> bytes);
  if (!bytes || bytes > rest.size()) {
    fail("expected a pattern of UTF-8");
    rest = {};
    return 0;
  }
  for (unsigned i = 1; i < bytes; ++i) {
    unsigned char more = rest[i];
    if ((more & 0xC0) != 0x80)
      fail("expected a pattern of UTF-8");
    c = c << 6 | (more & 0x3F);
  }
  rest = rest.drop_front(bytes);
  return c;
}

/// The number of "\x41" or "\x{10FFFF}", from behind the x on.
int64_t Compiler::takeHex() {
  StringRef digits;
  if (rest.consume_front("{")) {
    size_t end = rest.find('}');
    digits = rest.take_front(end);
    rest = end == StringRef::npos ? StringRef() : rest.drop_front(end + 1);
  } else {
    digits = rest.take_front(2);
    rest = rest.drop_front(digits.size());
    if (digits.size() < 2)
      digits = {};
  }
  int64_t c;
  if (digits.getAsInteger(16, c) || c < 0 || c > lastCharacter) {
    fail("expected the number of a character");
    return 0;
  }
  return c;
}

/// Adds \d, \s or \w; false for another name.
bool Compiler::addNamedClass(char name, Ranges &ranges) {
  switch (name) {
  case 'd':
    ranges.push_back({'0', '9'});
    return true;
  case 's':
    ranges.append({{'\t', '\n'}, {'\f', '\r'}, {' ', ' '}});
    return true;
  case 'w':
    ranges.append({{'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}});
    return true;
  default:
    return false;
  }
}

/// What lies between the given ranges.
static Ranges invert(Ranges ranges, int64_t last) {
  llvm::sort(ranges);
  Ranges others;
  int64_t next = 0;
  for (auto [begin, end] : ranges) {
    if (next < begin)
      others.push_back({next, begin - 1});
    next = std::max(next, end + 1);
  }
  if (next <= last)
    others.push_back({next, last});
  return others;
}

/// Parses behind a backslash; true if the ranges are to be left out.
bool Compiler::parseEscape(Ranges &ranges, bool inClass) {
  if (rest.empty()) {
    fail("expected a character after '\\'");
    return false;
  }
  char name = rest.front();
  if (addNamedClass(name, ranges)) {
    rest = rest.drop_front();
    return false;
  }
  Ranges named;
  if (isUpper(name) && addNamedClass(toLower(name), named)) {
    rest = rest.drop_front();
    if (!inClass) {
      ranges = named;
      return true;
    }
    llvm::append_range(ranges, invert(named, lastCharacter));
    return false;
  }
  static constexpr std::pair<char, char> controls[] = {
      {'a', 7},    {'f', '\f'}, {'n', '\n'},
      {'r', '\r'}, {'t', '\t'}, {'v', '\v'}};
  int64_t c = -1;
  for (auto [letter, control] : controls)
    if (name == letter)
      c = control;
  if (c >= 0) {
    rest = rest.drop_front();
  } else if (rest.consume_front("x")) {
    c = takeHex();
  } else if (name == '0' || (isDigit(name) && rest.size() > 1 &&
                             isDigit(rest[1]) && name < '8')) {
    size_t digits = std::min<size_t>(
        3, rest.find_if_not([](char d) { return d >= '0' && d < '8'; }));
    rest.take_front(digits).getAsInteger(8, c);
    rest = rest.drop_front(std::min(digits, rest.size()));
  } else if (isAlnum(name)) {
    fail("expected a supported escape, got '\\" + Twine(name) + "'");
    return false;
  } else {
    c = takeCharacter();
  }
  ranges.push_back({c, c});
  return false;
}

void Compiler::parseClass() {
  static constexpr struct {
    StringLiteral name;
    StringLiteral pairs; // first and last characters
  } named[] = {
      {"alnum", "09AZaz"},  {"alpha", "AZaz"},     {"digit", "09"},
      {"lower", "az"},      {"upper", "AZ"},       {"word", "09AZ__az"},
      {"xdigit", "09AFaf"}, {"punct", "!/:@[`{~"}, {"graph", "!~"},
      {"print", " ~"},      {"blank", "\t\t  "},   {"space", "\t\r  "}};
  rest = rest.drop_front();
  bool negated = rest.consume_front("^"), isFirst = true;
  Ranges ranges;
  while (error.empty() && (isFirst || !rest.starts_with("]"))) {
    isFirst = false;
    if (rest.empty())
      return fail("expected ']' to end a class");
    if (rest.starts_with("[:")) {
      size_t end = rest.find(":]");
      StringRef name = rest.slice(2, end);
      bool inverted = name.consume_front("^");
      auto *found = llvm::find_if(
          named, [&](const auto &entry) { return entry.name == name; });
      if (end == StringRef::npos || found == std::end(named))
        return fail("expected a known class like [:alpha:], got [:" + name);
      Ranges own;
      for (size_t i = 0; i + 1 < found->pairs.size(); i += 2)
        own.push_back({found->pairs[i], found->pairs[i + 1]});
      llvm::append_range(ranges, inverted ? invert(own, lastCharacter) : own);
      rest = rest.drop_front(end + 2);
      continue;
    }
    Ranges first, last;
    if (rest.consume_front("\\")) {
      parseEscape(first, /*inClass=*/true);
    } else {
      int64_t c = takeCharacter();
      first.push_back({c, c});
    }
    bool single = first.size() == 1 && first[0].first == first[0].second;
    if (single && rest.size() > 1 && rest[0] == '-' && rest[1] != ']') {
      rest = rest.drop_front();
      if (rest.consume_front("\\")) {
        parseEscape(last, /*inClass=*/true);
      } else {
        int64_t c = takeCharacter();
        last.push_back({c, c});
      }
      if (last.size() != 1 || last[0].first < first[0].first)
        return fail("expected a range of characters in order");
      first[0].second = last[0].second;
    }
    llvm::append_range(ranges, first);
  }
  rest.consume_front("]");
  emitClass(ranges, negated);
}

std::string lathe::compileRegex(StringRef pattern, RegexProgram &program) {
  return Compiler(pattern, program).run();
}
