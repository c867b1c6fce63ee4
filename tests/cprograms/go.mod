module linkpipe.test/cprograms

go 1.24
