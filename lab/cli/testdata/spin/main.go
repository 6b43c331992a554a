// Spin runs until somebody ends it.
package main

func main() {
	for n := 0; ; n++ {
	}
}
