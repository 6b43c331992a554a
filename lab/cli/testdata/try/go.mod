module example.com/tried

go 1.21
