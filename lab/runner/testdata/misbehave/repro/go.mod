module misbehave

go 1.21
