"""Makes a copy of Lifecycle's sources that has every bug of mutants.txt in it.

usage: make_mutants.py OUT_DIRECTORY MUTANTS_TXT SOURCE...

Which of them is active is said by external_containerizer::active_mutant, from
1 on; 0 is none. mutants.cc, beside the copies, has their names.
"""

import os
import sys


def parse(text):
    mutants = []
    for part in text.split("\n== ")[1:]:
        name, rest = part.split("\n-- ", 1)
        file, rest = rest.split("\n", 1)
        old, new = rest.split("\n++\n", 1)
        mutants.append((name.strip(), file, old.strip("\n"), new.strip("\n")))
    return mutants


def main():
    out, list_file, *source_files = sys.argv[1:]
    with open(list_file, encoding="utf-8") as file:
        mutants = parse(file.read())
    sources = {}
    for path in source_files:
        with open(path, encoding="utf-8") as file:
            sources[os.path.basename(path)] = file.read()
    for number, (name, file, old, new) in enumerate(mutants, 1):
        if sources[file].count(old) != 1:
            sys.exit("mutants.txt: \"%s\": not there, or not once, in %s: %s" %
                     (name, file, old))
        sources[file] = sources[file].replace(
            old, new.replace("(MUTANT)", "MUTANT").replace(
                "MUTANT", "(active_mutant == %d)" % number))
    for name, text in sources.items():
        opening = "namespace external_containerizer {\n"
        text = text.replace(opening, opening + "extern int active_mutant;\n", 1)
        with open(os.path.join(out, name), "w", encoding="utf-8") as file:
            file.write(text)
    with open(os.path.join(out, "mutants.cc"), "w", encoding="utf-8") as file:
        file.write("#include \"external_containerizer/testing/simulation/"
                   "mutants.h\"\n\nnamespace external_containerizer {\n"
                   "int active_mutant = 0;\n"
                   "const std::vector<std::string>& MutantNames() {\n"
                   "  static const auto& names = "
                   "*new std::vector<std::string>{\n")
        for name, *_ in mutants:
            file.write("      \"%s\",\n" % name)
        file.write("  };\n  return names;\n}\n"
                   "}  // namespace external_containerizer\n")


main()
