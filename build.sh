#!/usr/bin/env bash
# The one door to Paravent. Every verb installs what it is missing, or says
# exactly what to install.
set -euo pipefail
cd "$(dirname "$0")"

usage() {
  cat <<'TEXT'
./build.sh run    the demo: a patient books on a leaking site, without and with Paravent
./build.sh test   every check and test, in real Chromium and real Firefox
                  [--browser [--times N] [NAME…]] only the browsers' tests, N times: all, or
                  those of extension/test/NAME.test.js; says how often each test failed
./build.sh build  dist/bin, dist/worker, dist/chromium, dist/firefox and their packages
./build.sh binaries  dist/release: the programs for Linux, macOS and Windows, the
                  extension's packages, their source, and what all are made of
./build.sh reproduce  the same release from two clean checkouts and from the source
                  package, at other places and times, compared byte by byte
./build.sh crx    dist/crx: the Chromium package signed for installs by policy, and the
                  update manifest  --key FILE an RSA key in PEM
                  --url ADDRESS the folder where both will be served
./build.sh bench  the engine beside uBlock Origin's, Ghostery's and AdGuard's: speed and
                  coverage in Node, native Go and Chromium, loading, waking, scale;
                  a page's photos, direct and by relay, and opening the popup
                  [--corpus FILE] recorded requests, a JSON object a line
                  [--list FILE] adblock filters  [--json FILE] the figures
                  [--parts node,native,loading,chromium,wake,scale,photos,popup,pages] only these
                  [--peers FOLDER,…] unpacked extensions beside Paravent on pages
                  [--rounds N] of pages, else 30
                  [--dependencies] instead: what each dependency costs
./build.sh soak   browses for 20 minutes in both browsers, on servers built with the race
                  detector: what they hold and how long they take must not grow
                  [--minutes N] longer, or shorter  [--json FILE] every sample
./build.sh life   the background killed 300 times at random, and at awaits, while lists are
                  updated and pages opened; a page of 100,000 photos; in both browsers
                  [--kills N]  [--seed N] of a run that is to be seen again
./build.sh shots  pictures of every page, in both themes, French and English, narrow and
                  wide, in dist/shots  [--languages fr,en]  [--scenes NAME,…]
./build.sh ways   every way out of a page, in both browsers; writes README.md's table of them
./build.sh lint   formatting, vet, types and style
./build.sh clean  remove what was built
TEXT
}

# The compiler of releases: another one makes other bytes.
COMPILER=go1.26.8

say() { printf '\n== %s\n' "$*"; }
die() { printf 'build.sh: %s\n' "$*" >&2; exit 1; }

# Paravent's version, from the one place that states it.
version() { sed -n 's/^  "version": "\(.*\)",$/\1/p' extension/manifest.json; }

# at_least VERSION WANTED
at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

need_go() {
  command -v go >/dev/null || die "install Go 1.26 or later (https://go.dev/dl/)"
  at_least "$(go env GOVERSION | tr -d 'a-z')" 1.26 || die "Go is $(go env GOVERSION): install 1.26 or later (https://go.dev/dl/)"
}

need_npm() {
  command -v npm >/dev/null && command -v node >/dev/null || die "install Node.js 20.19 or later with npm (https://nodejs.org/)"
  at_least "$(node --version | tr -d v)" 20.19 || die "Node.js is $(node --version): install 20.19 or later (https://nodejs.org/)"
  packages extension
}

# packages FOLDER
packages() {
  # npm writes its own copy of the lock file last: without it, or with an older
  # one, the folder is not what the lock file says.
  if [ ! "$1/node_modules/.package-lock.json" -nt "$1/package-lock.json" ]; then
    say "npm packages of $1, from the lock file"
    (cd "$1" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
    touch "$1/node_modules/.package-lock.json"
  fi
}

need_browsers() {
  local missing=""
  command -v "${CHROMIUM:-chromium}" >/dev/null || missing+=" chromium"
  command -v "${FIREFOX:-firefox-esr}" >/dev/null || missing+=" firefox-esr"
  debian "${missing# }" "or set CHROMIUM and FIREFOX to their programs"
}

# The race detector is linked by a C compiler.
need_compiler() {
  need_go
  command -v "$(go env CC)" >/dev/null || debian "gcc libc6-dev" "or set CC to a C compiler"
}

# debian PACKAGES ELSE installs packages of Debian, if any, or says which and what else helps.
debian() {
  [ -n "$1" ] || return 0
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "installing $1"
    apt-get update -qq
    # shellcheck disable=SC2086 # one word a package
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $1 >/dev/null
  else
    die "install $1 (as root on Debian: apt-get install $1), $2"
  fi
}

# The version stands here and not in go.mod: the product does not depend on it.
STATICCHECK=v0.8.2

need_staticcheck() {
  need_go
  local folder=$PWD/dist/tools/$STATICCHECK
  staticcheck=$folder/staticcheck
  [ -x "$staticcheck" ] || GOBIN=$folder go install "honnef.co/go/tools/cmd/staticcheck@$STATICCHECK"
}

# licences PACKAGE… prints those of Go and of every module that is compiled into their WebAssembly.
licences() {
  local path dir
  local -x LC_ALL=C # orders names in one way
  printf 'Go\n\n'
  cat extension/vendor/wasm_exec.LICENSE
  GOOS=js GOARCH=wasm go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Dir}}{{end}}{{end}}' "$@" |
    sort -u | while read -r path dir; do
    [ -n "$path" ] || continue
    printf '\n\n%s\n\n' "$path"
    cat "$dir"/LICENSE*
  done
}

build() {
  need_go
  need_npm
  say "programs, in dist/bin"
  mkdir -p dist/bin dist/wasm
  go build -trimpath -buildvcs=false -ldflags="-X main.version=$(version)" -o dist/bin/ ./server/cmd/paravent ./server/cmd/paravent-server
  say "WebAssembly, in dist/wasm"
  # What structure rewrites it knows by name, which -s would leave out; -l=4
  # saves calls. Go takes a program that prestart.js has changed for its own,
  # and keeps it.
  rm -f dist/wasm/engine.wasm
  GOOS=js GOARCH=wasm go build -trimpath -buildvcs=false -ldflags=-w -gcflags='paravent/...=-l=4' \
    -o dist/wasm/engine.wasm ./wasm/engine
  # The desk waits for memory more than for jumps: it would only get larger.
  GOOS=js GOARCH=wasm go build -trimpath -buildvcs=false -ldflags='-s -w' -o dist/wasm/desk.wasm ./wasm/desk
  # Jumps are dear in Go's WebAssembly: what is ours gets its loops back, and
  # vectors where they help.
  go run -trimpath ./wasm/structure -only paravent_,main. dist/wasm/engine.wasm
  go run -trimpath ./wasm/strings dist/wasm/strings.wasm
  cp "$(go env GOROOT)/lib/wasm/wasm_exec.js" dist/wasm/
  # The engine is packaged as it is once it has started.
  node extension/tools/prestart.js dist/wasm/wasm_exec.js dist/wasm/engine.wasm dist/wasm/engine.wasm open
  licences ./wasm/engine ./wasm/desk >dist/wasm/LICENSES.txt
  say "the list server as a Worker, in dist/worker"
  mkdir -p dist/worker
  GOOS=js GOARCH=wasm go build -trimpath -buildvcs=false -ldflags='-s -w' -o dist/worker/app.wasm ./server/cmd/worker
  cp "$(go env GOROOT)/lib/wasm/wasm_exec.js" server/cmd/worker/{entry.js,wrangler.toml} dist/worker/
  licences ./server/cmd/worker >dist/worker/LICENSES.txt
  say "the list, in dist/lists"
  # The demo's names cannot exist on the web; so every package can show the demo.
  dist/bin/paravent list build -o dist/lists lists lists/demo
  say "the extension, in dist/chromium and dist/firefox"
  local browser
  for browser in chromium firefox; do
    node extension/tools/package.js --wasm dist/wasm --lists dist/lists --browser "$browser" --out "dist/$browser" \
      --zip "dist/paravent-$browser.$([ "$browser" = firefox ] && echo xpi || echo zip)"
  done
}

# A release is complete: what a workshop needs lies beside the programs.
binaries() {
  export GOTOOLCHAIN=${GOTOOLCHAIN:-$COMPILER}
  local -x LC_ALL=C
  build
  rm -rf dist/release
  mkdir -p dist/release
  local platform system machine program
  for platform in linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64; do
    system=${platform%/*} machine=${platform#*/}
    say "programs for $system on $machine, in dist/release"
    for program in paravent paravent-server; do
      CGO_ENABLED=0 GOOS=$system GOARCH=$machine go build -trimpath -buildvcs=false -ldflags="-s -w -buildid= -X main.version=$(version)" \
        -o "dist/release/$program-$system-$machine$([ "$system" = windows ] && echo .exe || true)" "./server/cmd/$program"
    done
  done
  cp dist/paravent-chromium.zip dist/paravent-firefox.xpi LICENSE dist/release/
  licences ./server/cmd/paravent ./server/cmd/paravent-server >dist/release/LICENSES.txt
  say "what the files are made of, and their source"
  node extension/tools/sbom.js --release dist/release --out "dist/release/paravent-$(version).cdx.json"
  source_package
  (
    cd dist/release
    local summer=(sha256sum) sums
    command -v sha256sum >/dev/null || summer=(shasum -a 256)
    sums=$("${summer[@]}" -- *)
    printf '%s\n' "$sums" >SHA256SUMS
  )
}

# The last commit's files, as they are: a zip that is not compressed is the same
# whoever writes it.
source_package() {
  if ! git rev-parse --verify --quiet HEAD >/dev/null || [ "$(git rev-parse --show-toplevel)" != "$(pwd -P)" ]; then
    echo "no source package: this is no checkout"
  elif [ -n "$(git status --porcelain)" ]; then
    echo "no source package: what was built is not what is committed"
  else
    TZ=UTC git archive --format=zip -0 --prefix="paravent-$(version)/" -o "dist/release/paravent-$(version)-source.zip" HEAD
  fi
}

# same FOLDER FOLDER compares two releases.
same() {
  diff <(sort -k 2 "$1/SHA256SUMS") <(sort -k 2 "$2/SHA256SUMS") ||
    die "not reproducible: the files named above differ; $1 and $2 are left there to compare"
}

# Nothing that a computer brings with it may show in a release: where the
# checkout is, when and by whom it was made, in which language, from which cache.
reproduce() {
  need_go
  git rev-parse --verify --quiet HEAD >/dev/null || die "reproduce: this is no checkout"
  command -v unzip >/dev/null || die "install unzip"
  export GOTOOLCHAIN=${GOTOOLCHAIN:-$COMPILER}
  # Where things are fetched from may stay: go.sum and the lock files check what comes.
  GOENV=$(go env GOENV) GOMODCACHE=$(go env GOMODCACHE)
  npm_config_userconfig=$(npm config get userconfig) npm_config_cache=$(npm config get cache)
  export GOENV GOMODCACHE npm_config_userconfig npm_config_cache
  local at one two three
  at=$(mktemp -d)
  one=$at/a two="$at/another place, further away" three="$at/paravent-$(version)"
  local source="$one/dist/release/paravent-$(version)-source.zip"
  say "one checkout"
  git clone --quiet . "$one"
  (umask 022; cd "$one"; HOME=$at/home GOCACHE=$at/cache TZ=UTC LC_ALL=C ./build.sh binaries)
  say "another, with other times"
  (umask 077; git clone --quiet . "$two"; cd "$two"; find . -path ./.git -prune -o -exec touch -d 2001-09-09 {} +
    mkdir "$at/other"; HOME=$at/other GOCACHE=$at/other/cache TZ=Pacific/Kiritimati LC_ALL=C.UTF-8 LANG=fr_FR.UTF-8 USER=other ./build.sh binaries)
  same "$one/dist/release" "$two/dist/release"
  say "the source package"
  (cd "$at"; unzip -q "$source"; cd "$three"; GOCACHE=$at/other/cache ./build.sh build
    cd dist; sha256sum --check --ignore-missing --strict "$one/dist/release/SHA256SUMS")
  mkdir -p dist
  cp "$one/dist/release/SHA256SUMS" dist/
  rm -rf "$at"
  say "every file is the same; dist/SHA256SUMS names them"
}

crx() {
  build
  say "the signed package and its update manifest, in dist/crx; the extension's id:"
  node extension/tools/crx.js --zip dist/paravent-chromium.zip --out dist/crx "$@"
}

# What is compiled to WebAssembly.
WASM_PACKAGES=(./wasm/... ./lists/release ./server/{store,log,publish,page,cmd/worker})

lint() {
  need_staticcheck
  need_npm
  packages server/cmd/worker
  say "gofmt, go.mod, vet and staticcheck"
  local unformatted
  unformatted=$(gofmt -l lists wasm server)
  [ -z "$unformatted" ] || die "run gofmt -w on: $unformatted"
  go mod tidy -diff || die "run go mod tidy"
  go vet ./...
  GOOS=js GOARCH=wasm go vet "${WASM_PACKAGES[@]}"
  "$staticcheck" ./...
  # It does not know that what go:wasmexport names is used.
  GOOS=js GOARCH=wasm "$staticcheck" -checks inherit,-U1000 "${WASM_PACKAGES[@]}"
  say "tsc and eslint"
  (cd extension && npm run --silent types && npm run --silent lint)
  extension/node_modules/.bin/tsc --project server/demo/jsconfig.json
  extension/node_modules/.bin/tsc --project server/cmd/worker/jsconfig.json
  (cd server/cmd/worker && ../../../extension/node_modules/.bin/eslint .)
}

# What does several things at once is tested with the race detector: the servers.
# The maintainers' command does one, and the Worker is tested in workerd.
go_tests() {
  local race
  race="$(go list ./server/... | grep -v /cmd/) ./server/cmd/paravent-server"
  # shellcheck disable=SC2046,SC2086 # one word a package
  {
    go test -cover $(go list ./... | grep -vxF "$(go list $race)")
    go test -cover -race $race
  } | tee dist/coverage.txt
}

# coverage prints one line a package, what is covered least first.
coverage() {
  say "coverage of Go packages: percent of statements that the package's own tests run"
  sed -nE 's/^(ok)?[[:space:]]+(paravent[^[:space:]]*).*coverage: ([0-9.]+)%.*/\3 \2/p' dist/coverage.txt |
    sort -n | awk '{ printf "%6.1f  %s\n", $1, $2 }'
}

# fuzz gives every fuzz target of the Go packages some thousand inputs. A count and not a time: where
# a time ends, Go 1.26 sometimes calls its own deadline a failure (golang/go#75804).
fuzz() {
  local file name output
  while IFS=: read -r file name; do
    name=${name#func }
    output=$(go test -run '^$' -fuzz "^$name\$" -fuzztime 4000x -fuzzminimizetime 10x "./${file%/*}" 2>&1 </dev/null) || die "$name in $file: $output"
    printf '%-32s %s\n' "$name" "$(sed -n 's/^fuzz: elapsed: //p' <<<"$output" | tail -n 1)"
  done < <(grep -oE '^func Fuzz\w+' -r lists wasm server --include='*_test.go' --exclude-dir=node_modules)
}

run_tests() {
  need_browsers
  need_compiler
  lint
  build
  say "web-ext lint"
  (cd extension && npx --no-install web-ext lint --source-dir ../dist/firefox --warnings-as-errors)
  say "the lists' sources"
  dist/bin/paravent list lint lists lists/demo
  say "what the sites expect of the list"
  dist/bin/paravent list test lists lists/demo
  say "JavaScript and WebAssembly in Node"
  (cd extension && npm run --silent test)
  say "Go, the servers with the race detector"
  go_tests
  say "the Worker, in workerd"
  (cd server/cmd/worker && npm run --silent test)
  say "what reads bytes of others, with bytes that nobody thought of"
  fuzz
  say "Chromium and Firefox"
  browser_tests
  coverage
}

browser_tests() {
  # Lists come from the Worker, too.
  packages server/cmd/worker
  (cd extension && npm run --silent test:browsers -- "$@")
}

bench() {
  build
  if [ "${1:-}" = --dependencies ]; then
    say "what each dependency costs"
    node extension/bench/dependencies.js
    return
  fi
  need_browsers
  say "beside its peers"
  node --expose-gc extension/bench/main.js "$@"
}

soak() {
  [ "$(uname -s)" = Linux ] || die "soak looks at processes in /proc: run it on Linux"
  build
  need_compiler
  need_browsers
  say "the server with the race detector, in dist/race"
  CGO_ENABLED=1 go build -race -trimpath -buildvcs=false -o dist/race/ ./server/cmd/paravent-server
  say "browsing"
  PARAVENT_SERVER=$PWD/dist/race/paravent-server node extension/bench/soak.js "$@"
}

# The table says what the rows say, and the tests that the rows are so.
ways() {
  build
  need_browsers
  cd extension
  node test/ways-out-table.js
  node --test --test-concurrency=1 test/ways-out.test.js
}

life() {
  local kills=300 seed=
  while [ $# -gt 0 ]; do
    case "$1" in
      --kills) kills=${2:?how many} ;;
      --seed) seed=${2:?a number} ;;
      *) die "life: $1: want --kills N or --seed N" ;;
    esac
    shift 2
  done
  build
  need_browsers
  say "kills, in Chromium and Firefox"
  (cd extension && KILLS=$kills SEED=$seed EVERY=1 node --test --test-concurrency=1 test/life.test.js test/life-awaits.test.js)
  say "a page of 100,000 photos, in Chromium and Firefox"
  (cd extension && MANY=100000 node --test --test-name-pattern='photos leave the page usable' test/hostile-acts.test.js)
}

verb=${1:-help}
[ $# -eq 0 ] || shift
case "$verb" in
  run) build; need_browsers; node extension/tools/run.js "$@" ;;
  test)
    if [ "${1:-}" = --browser ]; then
      build
      need_browsers
      browser_tests "${@:2}"
    else
      run_tests
    fi
    ;;
  build) build ;;
  binaries) binaries ;;
  reproduce) reproduce ;;
  crx) crx "$@" ;;
  bench) bench "$@" ;;
  soak) soak "$@" ;;
  life) life "$@" ;;
  shots) build; need_browsers; node extension/tools/shots.js "$@" ;;
  ways) ways ;;
  lint) lint ;;
  clean) rm -rf dist extension/node_modules server/cmd/worker/node_modules ;;
  help | -h | --help) usage ;;
  *) usage >&2; die "$verb: unknown verb" ;;
esac
