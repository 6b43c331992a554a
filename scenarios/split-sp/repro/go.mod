module split-sp

go 1.21
