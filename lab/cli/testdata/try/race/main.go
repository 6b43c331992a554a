// Race lets two goroutines write one map.
package main

func main() {
	m, done := map[int]int{}, make(chan bool)
	for g := 0; g < 2; g++ {
		go func() {
			for i := 0; i < 20000; i++ {
				m[i%16] = i
			}
			done <- true
		}()
	}
	<-done
	<-done
}
