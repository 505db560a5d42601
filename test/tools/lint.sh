#!/usr/bin/env bash
# What can be found without running: two compilers' warnings as errors, the rules of the house, cppcheck, shellcheck, ruff.
# Called by ./run lint, which has installed what it needs.
# shellcheck disable=SC2317 # functions are called through check()
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
failed=0
SECONDS=0

# check NAME COMMAND...: one line when it is fine, everything when not
check() {
	local name=$1 log
	shift
	log=$(mktemp)
	if "$@" >"$log" 2>&1; then
		printf '%-44s fine  %3d s\n' "$name" "$SECONDS"
	else
		failed=1
		printf '%-44s FAILED\n' "$name"
		tail -n 80 "$log"
	fi
	rm -f "$log"
}

build_werror() {
	if [ ! -f build-lint/build.ninja ]; then
		meson setup build-lint --buildtype=debugoptimized -Dwerror=true || return 1
	fi
	ninja -C build-lint
}

# the same files through clang, with the same flags; some of gcc's it does not know
clang_syntax() {
	/usr/bin/python3 - <<-'PYTHON'
		import json, shlex, subprocess, sys
		from concurrent.futures import ThreadPoolExecutor

		def one(unit):
		    words = [w for w in shlex.split(unit["command"])[1:] if w not in ("-c", "-MD", "-Winvalid-pch", "-ftrivial-auto-var-init=zero")]
		    for option in ("-o", "-MQ", "-MF"):
		        at = words.index(option)
		        del words[at:at + 2]
		    flags = ["-fsyntax-only", "-Werror", "-Wno-unknown-warning-option", "-Wno-gnu-statement-expression", "-Wno-unused-command-line-argument",
		             "-Wno-unused-variable", "-Wno-string-concatenation"]  # gcc sees what is unused; clang takes a cleanup attribute for no use
		    done = subprocess.run(["clang", *words, *flags], cwd=unit["directory"], capture_output=True, text=True)
		    return done.returncode, done.stderr

		with open("build-lint/compile_commands.json") as f:
		    units = json.load(f)
		with ThreadPoolExecutor(2) as pool:
		    results = list(pool.map(one, units))
		print("".join(text for _, text in results))
		sys.exit(any(code for code, _ in results))
	PYTHON
}

# Tables with aligned columns have no words in clang-format's language, so .clang-format serves editors and new code; what holds
# everywhere is checked here.
whitespace() {
	local bad
	bad=$(git ls-files 'src/*.[ch]' 'test/*.[ch]' | xargs grep -nE '[ 	]+$|^ +[^ *]|.{161,}|	 +	' -- | grep -vE ':[0-9]+:( {4,}| \*)' | head -40)
	for file in $(git ls-files 'src/*.[ch]' 'test/*.[ch]' '*.py' '*.sh'); do
		[ -z "$(tail -c 1 "$file")" ] || bad+=$'\n'"$file: no newline at its end"
	done
	[ -z "$bad" ] || { echo "$bad"; return 1; }
}

lint_cppcheck() {
	cppcheck --quiet -j 2 --std=c11 --enable=warning,performance,portability --inline-suppr --error-exitcode=1 \
		--suppressions-list=test/tools/cppcheck.suppressions -D__linux__ -D_GNU_SOURCE -D__attribute__\(x\)= -I src \
		src/*/*.c
}

shell() { git ls-files run .ci/run '*.sh' | xargs shellcheck; }
python() { build/venv/bin/ruff check --quiet test demo bench src; }
typescript() { npm --prefix console run --silent check; }
house_rules() { meson test -C build-lint --no-rebuild --print-errorlogs --suite check; }

# every fuzz target is in the table, every unit test in the list: what is not built is not run
registered() {
	local name missing=0
	for name in test/fuzz/fuzz_*.c; do
		name=$(basename "$name" .c)
		grep -q "'${name#fuzz_}'" test/fuzz/meson.build || { echo "$name is not in test/fuzz/meson.build"; missing=1; }
	done
	for name in test/unit/test_*.c; do
		name=$(basename "$name" .c)
		grep -q "'${name#test_}'" test/unit/meson.build || { echo "$name is not in test/unit/meson.build"; missing=1; }
	done
	return "$missing"
}

check "gcc, warnings are errors" build_werror
check "clang, warnings are errors" clang_syntax
check "rules of the house" house_rules
check "every test is built" registered
check "whitespace" whitespace
check "cppcheck" lint_cppcheck
check "shellcheck" shell
check "ruff" python
check "typescript, strict" typescript
exit "$failed"
