module example.org/clean

go 1.26.0
