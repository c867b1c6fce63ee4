// Httpserver serves HTTP. With -self it asks itself one question, prints the
// answer and ends, so that a test can run it and compare what it prints.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"strings"
)

type reply struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	Length int    `json:"length"`
}

func answer(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	json.NewEncoder(w).Encode(reply{r.Method, r.URL.Path, len(body)})
}

func main() {
	address := flag.String("listen", "127.0.0.1:0", "address to listen on")
	self := flag.Bool("self", false, "ask once, print the answer, end")
	flag.Parse()

	mux := http.NewServeMux()
	mux.HandleFunc("/answer/", answer)
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		log.Fatal(err)
	}
	if !*self {
		log.Fatal(http.Serve(listener, mux))
	}
	go http.Serve(listener, mux)
	url := "http://" + listener.Addr().String() + "/answer/me"
	got, err := http.Post(url, "text/plain", strings.NewReader("forty-two bytes, or fewer"))
	if err != nil {
		log.Fatal(err)
	}
	defer got.Body.Close()
	fmt.Println(got.Status, got.Header.Get("Content-Type"))
	if _, err := io.Copy(os.Stdout, got.Body); err != nil {
		log.Fatal(err)
	}
}
