#!/usr/bin/env bash
# Builds the fuzz targets in build-fuzz (configured by ./run) and gives each SECONDS. What it finds it leaves in
# build-fuzz/found; add it to test/fuzz/corpus/<target>/ together with the repair: from then on it is an ordinary test.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
seconds=$1
mapfile -t names < <(sed -n "s/^  \['\([a-z0-9_]*\)', .*/\1/p" test/fuzz/meson.build)
ninja -C build-fuzz --quiet "${names[@]/#/test/fuzz/fuzz_}"
mkdir -p build-fuzz/found
failed=0
for name in "${names[@]}"; do
	grown=build-fuzz/corpus/$name kept=test/fuzz/corpus/$name log=build-fuzz/$name.log
	mkdir -p "$grown"
	from=("$grown")
	[ ! -d "$kept" ] || from+=("$kept")
	printf '%-14s ' "$name"
	if build-fuzz/test/fuzz/fuzz_"$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=4096 -max_len=65536 \
		-print_final_stats=1 -artifact_prefix=build-fuzz/found/"$name"- "${from[@]}" >"$log" 2>&1; then
		sed -n 's/^stat::number_of_executed_units: *//p' "$log" | tr '\n' ' '
		echo "executions, nothing found"
	else
		failed=1
		echo "FOUND, see $log"
		grep -m 3 -E 'ERROR|SUMMARY|Assert|invariant' "$log" || tail -n 3 "$log"
	fi
done
exit $failed
