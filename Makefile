# Two commands matter: `make run` and `make test`. Both install what they need
# on Debian and Ubuntu; elsewhere `bin/lab doctor` says what to install.

.PHONY: run test setup build kernel check bench

# Where lab/setup.sh puts a Go, and where Go's own instructions do.
export PATH := /usr/local/lib/ghostlab/go/bin:/usr/local/go/bin:$(PATH)

run: setup build
	bin/lab run scenarios/ghost-map/matrix.yaml

# The kernel is built first: tests with guests share it.
test: setup build kernel
	go test -timeout 30m ./...

setup:
	@sh lab/setup.sh

build:
	@go build -o bin/lab ./lab

kernel: build
	@bin/lab build kernel >/dev/null

check: setup
	@test -z "$$(gofmt -l .)" || { gofmt -l .; echo "check: gofmt these files" >&2; exit 1; }
	go vet ./...
	GOOS=linux GOARCH=arm64 go vet ./initramfs/guest
	GOOS=darwin GOARCH=arm64 go vet ./lab/...
	go tool staticcheck ./...
	go test -race -short -timeout 30m ./...
	go generate ./...
	@git diff --exit-code || { echo "check: generated files have changed; commit them" >&2; exit 1; }

bench: build kernel
	go test -run '^$$' -bench . -benchtime 1x -timeout 60m ./lab/bench
