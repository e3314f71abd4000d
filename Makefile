# What people and continuous integration run. Each target does what it says or
# fails; "make" alone lists them.

SHELL := /usr/bin/env bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo dist build test test-packages test-influx2 race check breakage bench bench-poll bench-ingest bench-api bench-analysis bench-pages bench-load screenshots chaos gofmt vet staticcheck archtest pages openapi scripts tidy generated vulncheck

# What ships contains no C.
export CGO_ENABLED ?= 0

staticcheck := honnef.co/go/tools/cmd/staticcheck@v0.8.2
FAULTS ?= 60
SEED ?=
programs := $(patsubst %/main.go,./%,$(wildcard gateway/main.go collector/main.go api/main.go))

help: ## list these targets
	@grep -hE '^[a-z-]+:.* ## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.* ## /\1\t/' | \
		while IFS=$$'\t' read -r name text; do printf '  make %-12s %s\n' "$$name" "$$text"; done

demo: ## the whole system on this machine, with a simulated residence
	@echo "demo: compiling itself first, which takes up to a minute the first time"
	@go run ./deploy/demo

dist: ## stripped programs and Debian packages for amd64, arm64 and armhf, into dist/; about five minutes the first time
	@go run ./deploy/packages --out dist

build: ## the programs, into dist/
	@mkdir -p dist
	go build -trimpath -ldflags='-s -w' -o dist/ $(programs)

test: ## every test, real servers included; installs what is missing on Debian
	@.ci/install
	@.ci/influxd
	@.ci/test ./...

test-packages: ## the packages in a clean Debian, from installation to the tenant's page; root, about twelve minutes
	@.ci/install mosquitto systemd-container mmdebstrap lintian
	@go test -tags packages -count=1 -timeout 40m -v ./deploy/packages

test-influx2: ## the tests of what speaks to InfluxDB, on a 2.7 where there is one
	@go run .ci/influx2.go

race: ## every test under the race detector; needs a C compiler
	@CGO_ENABLED=1 .ci/test -race ./...

bench: bench-poll bench-ingest bench-api bench-analysis bench-pages ## every benchmark
	go test -run '^$$' -bench . -benchmem ./...

bench-poll: ## the gateway's polling beside Telegraf and the line's own time; about twelve minutes
	@go run ./deploy/bench/poll

bench-ingest: ## the collector beside Telegraf, InfluxDB and the broker; about ten minutes
	@.ci/install mosquitto
	@go run ./deploy/bench/ingest

bench-api: ## reads of the registry and imports of a housing stock, beside the database alone; about three minutes
	@go run ./deploy/bench/api

bench-analysis: ## leaks found and not, phantom consumption, observed results, a tenant's page, a residence's year; SEED=any number; about seven minutes
	@go run ./deploy/bench/analysis $(if $(SEED),--seed $(SEED))

bench-pages: ## every page in a real Chromium: bytes, first paint, accessibility, the server; about fifteen minutes
	@.ci/install chromium
	@go run ./deploy/bench/pages

screenshots: ## pictures of every page of every role, two widths and languages, into var/screenshots
	@.ci/install chromium
	@go run ./deploy/screenshots

bench-load: ## pages and lag while the readings of 10,000 dwellings come in, and memory at rest; about half an hour; MINUTES and DWELLINGS make it shorter
	@go run ./deploy/bench/load $(if $(MINUTES),--minutes $(MINUTES)) $(if $(DWELLINGS),--dwellings $(DWELLINGS))

chaos: ## the fault campaign; FAULTS=60 and SEED=any number unless given
	@.ci/install mosquitto
	@go run ./deploy/chaos --faults $(FAULTS) $(if $(SEED),--seed $(SEED))

check: gofmt scripts tidy vet staticcheck archtest pages openapi generated vulncheck ## all that can be judged without running the programs
	@echo "check: all well"

breakage: ## show that make check and the tests of access can fail: break one thing after the other
	@.ci/check-the-check
	@.ci/check-the-matrix

gofmt: ## Go files are formatted
	@faults=$$(gofmt -l .); [ -z "$$faults" ] || { echo "gofmt: run gofmt -w on:"; echo "$$faults"; exit 1; }

scripts: ## shell scripts can be parsed
	@find . -name .git -prune -o -name var -prune -o -type f -exec grep -IlE -m1 '^#!.*\b(ba)?sh$$' {} + | \
		while read -r file; do head -n1 "$$file" | grep -q '^#!' || continue; bash -n "$$file" || exit 1; done

tidy: ## go.mod and go.sum fit the source
	@go mod tidy -diff || { echo "tidy: run go mod tidy"; exit 1; }

vet: ## the Go team's own checks
	@go vet ./...
	@go vet -tags packages ./deploy/packages
	@go vet .ci/summary.go
	@go vet .ci/influx2.go

staticcheck: ## bugs and simplifications that vet does not see
	@go run $(staticcheck) ./...
	@go run $(staticcheck) -tags packages ./deploy/packages

archtest: ## the repository's own rules: imports, sizes, comments, words
	@go test ./internal/archtest

pages: ## every template fits the type of its view
	@go test -run 'Fit' ./dashboards/...

openapi: ## openapi.yaml is sound and describes every route
	@go test -run 'TestOpenAPI' ./api

generated: ## generated files are what their generators write
	@.ci/generated

vulncheck: ## known vulnerabilities in what is called
	@.ci/vulncheck
