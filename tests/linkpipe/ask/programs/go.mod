module looking.test

go 1.25
