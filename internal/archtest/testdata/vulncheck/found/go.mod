module example.org/found

go 1.26.0
