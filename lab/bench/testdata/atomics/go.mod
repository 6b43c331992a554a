module atomics

go 1.21
