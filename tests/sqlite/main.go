// Command sqlite has the whole of SQLite compiled in by cgo.
package main

import (
	"database/sql"
	"fmt"
	"log"

	_ "github.com/mattn/go-sqlite3"
)

func main() {
	db, err := sql.Open("sqlite3", ":memory:")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	for _, text := range []string{
		"CREATE TABLE words (n INTEGER PRIMARY KEY, word TEXT)",
		"INSERT INTO words (word) VALUES ('one'), ('two'), ('three')",
	} {
		if _, err := db.Exec(text); err != nil {
			log.Fatal(err)
		}
	}
	var words, sum, version string
	row := db.QueryRow("SELECT group_concat(upper(word), ','), sum(n * 1.5), sqlite_version() FROM words")
	if err := row.Scan(&words, &sum, &version); err != nil {
		log.Fatal(err)
	}
	fmt.Println(words, sum, version != "")
}
