module dice

go 1.21
