module programs.test

go 1.27
