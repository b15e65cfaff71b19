# Sourced by the scripts beside it: where the repository is, and how uv meets this machine.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
cd "$root" || exit

say() { printf '%s\n' "facegate: $*" >&2; }
die() {
  say "$*"
  exit 1
}

# A machine may trust a certificate authority that only its system store knows.
export UV_NATIVE_TLS=${UV_NATIVE_TLS:-1}
export UV_NO_PROGRESS=${UV_NO_PROGRESS:-1}
# uv does not read pip's configuration; a machine's own index may stand only there. Extra indexes
# are left out: the hashes would refuse what differs, and they would be asked first for each name.
use_index_of_pip() { # PYTHON
  [ -z "${UV_DEFAULT_INDEX:-}${UV_INDEX_URL:-}" ] || return 0
  local index
  index=${PIP_INDEX_URL:-$("$1" -m pip config get global.index-url 2>/dev/null || true)}
  [ -z "$index" ] || export UV_DEFAULT_INDEX=$index
}

# Home Assistant is thousands of modules: without written bytecode every start compiles them anew.
unset PYTHONDONTWRITEBYTECODE

# Install a compiled file and the engine into an environment.
fill() { # UV PYTHON REQUIREMENTS
  local pip=("$1" pip install --quiet --python "$2" --build-constraints requirements/build.txt)
  "${pip[@]}" --require-hashes -r "$3"
  "${pip[@]}" --no-deps --editable addon
}

# Print the lines of one package of a compiled requirements file, with its hashes.
pinned() { # FILE PACKAGE
  awk -v name="$2==" '
    /^[^ #]/ { wanted = index($0, name) == 1 }
    /^ *#/ { next }
    wanted' "$1"
}
