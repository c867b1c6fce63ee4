module programs.test

go 1.24
