#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# prove.sh [-m SED_SCRIPT] WORKDIR SOURCE PROOF STEPS [PARAMETER=VALUE...]: proves the assertions of SOURCE and of its proof module
# PROOF with yosys-smtbmc and z3: first no counterexample in STEPS steps from reset, then induction. Exit 0: proved.
# Fails as well when no assertion arrives at the solver (a vacuous proof). -m: on faulty copies of both files, for mutants.
set -eu
fault=''
if [ "$1" = -m ]; then
  fault=$2
  shift 2
fi
work=$1 source=$2 proof=$3 steps=$4
shift 4
mkdir -p "$work"
top=$(basename "$proof" .sv)
if [ -n "$fault" ]; then
  sed "$fault" "$source" >"$work/$(basename "$source")"
  sed "$fault" "$proof" >"$work/$top.sv"
  ! cmp -s "$source" "$work/$(basename "$source")" || { echo "the mutation changes nothing"; exit 1; }
  source=$work/$(basename "$source") proof=$work/$top.sv
fi
parameters='' depth=0
for p in "$@"; do
  parameters="$parameters -set ${p%=*} ${p#*=}"
  case $p in Depth=*) depth=${p#*=} ;; Width=*) width=${p#*=} ;; esac
done
{
  echo "read_verilog -formal -sv $source $proof"
  [ -z "$parameters" ] || echo "chparam$parameters $top"
  echo "hierarchy -check -top $top; proc"
  # Memories become registers with names before the hierarchy goes, so that a proof can look at them.
  echo "memory_collect; memory_map; flatten"
  i=0
  while [ $i -lt "$depth" ]; do
    echo "connect -set mem[$((i * width + width - 1)):$((i * width))] \\u_dut.mem[$i]"
    i=$((i + 1))
  done
  echo "prep -top $top -nordff; opt_clean; async2sync; dffunmap; check -assert"
  echo "write_smt2 -wires $work/proof.smt2"
} >"$work/proof.ys"
yosys -q -l "$work/yosys.log" "$work/proof.ys" >/dev/null || { tail -5 "$work/yosys.log"; exit 1; }
asserts=$(grep -c 'yosys-smt2-assert' "$work/proof.smt2" || true)
[ "$asserts" -gt 0 ] || { echo "no assertion left: the proof would be vacuous"; exit 1; }
if ! yosys-smtbmc -s z3 --noprogress --unroll -t "$steps" --dump-vcd "$work/bounded.vcd" "$work/proof.smt2" >"$work/bounded.log"; then
  grep 'Assert failed\|error' "$work/bounded.log" || tail -3 "$work/bounded.log"
  echo "counterexample from reset"
  exit 1
fi
if ! yosys-smtbmc -s z3 --noprogress --unroll -i -t "$steps" --dump-vcd "$work/induction.vcd" "$work/proof.smt2" >"$work/induction.log"; then
  grep 'Assert failed\|error' "$work/induction.log" || tail -3 "$work/induction.log"
  echo "no induction"
  exit 1
fi
echo "$asserts assertions proved"
