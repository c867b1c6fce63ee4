module example.test/linkpipe

go 1.24
