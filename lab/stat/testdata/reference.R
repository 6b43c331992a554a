# Writes reference.txt, which the tests compare with:
#   Rscript reference.R > reference.txt
# Package: r-base-core on Debian and Ubuntu.
show <- function(name, ...) cat(paste(c(name, sprintf("%.15g", c(...))), collapse = " "), "\n", sep = "")
cat("# ", R.version.string, "\n", sep = "")

# clopper, wilson: k n level low high
for (level in c(0.8, 0.95, 0.9999)) for (n in c(1, 2, 10, 100, 2017, 100000)) {
  for (k in unique(c(0, 1, n %/% 10, n %/% 3, n %/% 2, n - 1, n))) {
    show("clopper", k, n, level, binom.test(k, n, conf.level = level)$conf.int)
    show("wilson", k, n, level, suppressWarnings(prop.test(k, n, conf.level = level, correct = FALSE))$conf.int)
  }
}

# fisher: p, then k n of both conditions
fisher <- function(a, m, b, n)
  show("fisher", fisher.test(matrix(c(a, m - a, b, n - b), 2))$p.value, a, m, b, n)
for (m in c(1, 5, 20, 100)) for (n in c(1, 8, 20, 300)) {
  for (a in unique(c(0, 1, m %/% 3, m))) for (b in unique(c(0, n %/% 4, n %/% 2, n))) fisher(a, m, b, n)
}
fisher(0, 100000, 3, 100000)
fisher(0, 100000, 30, 100000)
fisher(50000, 100000, 50400, 100000)
fisher(50000, 100000, 52000, 100000)
fisher(3, 7, 99000, 100000)

# stratified: p, then k n of both conditions for each stratum
stratified <- function(...) {
  t <- matrix(c(...), 4)
  cells <- array(apply(t, 2, function(s) c(s[1], s[2] - s[1], s[3], s[4] - s[3])), c(2, 2, ncol(t)))
  show("stratified", mantelhaen.test(cells, exact = TRUE)$p.value, t)
}
stratified(0, 10, 3, 10, 1, 10, 4, 10)
stratified(3, 10, 0, 10, 0, 10, 3, 10)
stratified(0, 100, 97, 100, 0, 100, 0, 100)
stratified(79, 100, 87, 100, 0, 100, 0, 100)
stratified(79, 100, 87, 100, 5, 100, 6, 100, 33, 50, 40, 60, 1, 2, 2, 2)
stratified(2, 7, 5, 90, 1, 40, 11, 30, 12, 33, 2, 15)
stratified(100, 100, 0, 100, 0, 100, 100, 100)
stratified(1, 5, 2, 5, 1, 5, 3, 5, 0, 5, 2, 5, 2, 5, 5, 5, 0, 5, 1, 5)
stratified(1000, 20000, 1100, 20000, 700, 20000, 741, 20000, 30, 20000, 36, 20000)
set.seed(1)
for (i in 1:40) {
  t <- NULL
  for (s in 1:sample(2:6, 1)) {
    n <- sample(2:60, 2)
    t <- c(t, rbinom(1, n[1], runif(1)), n[1], rbinom(1, n[2], runif(1)), n[2])
  }
  stratified(t)
}

# holm: p-values, then the adjusted ones
holm <- function(p) show("holm", p, p.adjust(p, method = "holm"))
holm(0.03)
holm(c(0.01, 0.04, 0.03, 0.005))
holm(c(0.5, 0.5, 0.5))
holm(c(1, 0, 1e-300, 0.02))
holm(c(0.001, 0.2, 0.001, 0.04, 0.9, 0.0124, 0.0126))
holm(runif(20)^4)
