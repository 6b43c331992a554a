module ghost-map

go 1.21
