"""Makes a copy of sources that has every bug of a list of mutants in it.

usage: make_mutants.py OUT_DIRECTORY MUTANTS_TXT NAMESPACE SOURCE...

Which of them is active is said by external_containerizer::active_mutant, from
1 on; 0 is none. mutants.cc, beside the copies, has the list (see mutants.h).
The copies are in the namespace external_containerizer::NAMESPACE; if it is
empty they take the place of their originals.
"""

import os
import sys

OPENING = "namespace external_containerizer {\n"
CLOSING = "}  // namespace external_containerizer\n"


def parse(text):
    mutants = []
    for part in text.split("\n== ")[1:]:
        fault, rest = part.split("\n-- ", 1)
        fault, _, promise = fault.partition("\n-> ")
        file, rest = rest.split("\n", 1)
        old, new = rest.split("\n++\n", 1)
        mutants.append((fault, promise, file, old.strip("\n"),
                        new.strip("\n")))
    return mutants


def main():
    out, list_file, namespace, *source_files = sys.argv[1:]
    with open(list_file, encoding="utf-8") as file:
        mutants = parse(file.read())
    sources = {}
    for path in source_files:
        with open(path, encoding="utf-8") as file:
            sources[os.path.basename(path)] = file.read()
    for number, (fault, _, file, old, new) in enumerate(mutants, 1):
        if sources[file].count(old) != 1:
            sys.exit("%s: \"%s\": not there, or not once, in %s: %s" %
                     (list_file, fault, file, old))
        sources[file] = sources[file].replace(
            old, new.replace("(MUTANT)", "MUTANT").replace(
                "MUTANT", "(active_mutant == %d)" % number))
    opening = OPENING + "extern int active_mutant;\n"
    closing = CLOSING
    if namespace:
        opening += "namespace %s {\n" % namespace
        closing = "}  // namespace %s\n%s" % (namespace, CLOSING)
    for name, text in sources.items():
        text = text.replace(OPENING, opening, 1).replace(CLOSING, closing)
        with open(os.path.join(out, name), "w", encoding="utf-8") as file:
            file.write(text)
    with open(os.path.join(out, "mutants.cc"), "w", encoding="utf-8") as file:
        file.write("#include \"external_containerizer/testing/simulation/"
                   "mutants.h\"\n\n" + OPENING +
                   "int active_mutant = 0;\n"
                   "const std::vector<Mutant>& Mutants() {\n"
                   "  static const auto& mutants = "
                   "*new std::vector<Mutant>{\n")
        for fault, promise, *_ in mutants:
            file.write("      {\"%s\", \"%s\"},\n" % (fault, promise))
        file.write("  };\n  return mutants;\n}\n" + CLOSING)


main()
