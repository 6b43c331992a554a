module hog

go 1.21
