package crash

import "testing"

func TestIdle(t *testing.T) {
	for name, c := range map[string]struct{ out, want string }{
		"passed":       {"=== RUN   TestX\n--- PASS: TestX (0.00s)\nPASS\n", ""},
		"serial":       {"=== RUN   TestX\r\n--- PASS: TestX (0.00s)\r\nPASS\r\n", ""},
		"one skipped":  {"=== RUN   TestX\n--- PASS: TestX (0.00s)\n=== RUN   TestY\n    y_test.go:1: no\n--- SKIP: TestY (0.00s)\nPASS\n", ""},
		"all skipped":  {"=== RUN   TestY\n    y_test.go:1: no\x1b[2J\n--- SKIP: TestY (0.00s)\nPASS\n", "TestY was skipped, which is no pass: y_test.go:1: no?[2J"},
		"without why":  {"=== RUN   TestY\n--- SKIP: TestY (0.00s)\nPASS\n", "TestY was skipped, which is no pass"},
		"subtest":      {"--- SKIP: TestY (0.00s)\n    --- PASS: TestY/a (0.00s)\nPASS\n", "TestY was skipped, which is no pass"},
		"none":         {"testing: warning: no tests to run\nPASS\n", "no test has run, which is no pass"},
		"main forgets": {"hello\n", "no test has run, which is no pass"},
		"benchmark":    {"goos: linux\nBenchmarkX-2 \t 100\t 12 ns/op\nPASS\n", ""},
		"cut":          {"--- SKIP: TestY (0.00s)\n\nlab: 123 bytes of output are not kept\nPASS\n", ""},
	} {
		got := ""
		if err := Idle([]byte(c.out)); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}
