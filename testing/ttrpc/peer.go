// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// The other side of the interoperability tests: containerd's ttrpc.
//
//	peer server SOCKET           serves the service below until it is killed
//	peer client SOCKET           checks a server of ours; exits with 0 if it is right
//	peer flood SOCKET            sends large messages until it is killed
//	peer bench SOCKET            for each line "CALLERS CALLS" on stdin makes so many
//	                             calls, and prints how many nanoseconds that took
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/containerd/ttrpc"
	"github.com/gogo/protobuf/proto"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const service = "interop.v1.Peer"

// Message is what every method takes and returns; interop.proto has its twin.
type Message struct {
	Text   string `protobuf:"bytes,1,opt,name=text,proto3"`
	Data   []byte `protobuf:"bytes,2,opt,name=data,proto3"`
	Number int64  `protobuf:"varint,3,opt,name=number,proto3"`
}

// Reset, String and ProtoMessage make it a message.
func (m *Message) Reset()         { *m = Message{} }
func (m *Message) String() string { return proto.CompactTextString(m) }

// ProtoMessage marks it.
func (m *Message) ProtoMessage() {}

type handler func(ctx context.Context, request *Message) (*Message, error)

func method(handle handler) ttrpc.Method {
	return func(ctx context.Context, unmarshal func(interface{}) error) (interface{}, error) {
		var request Message
		if err := unmarshal(&request); err != nil {
			return nil, err
		}
		return handle(ctx, &request)
	}
}

var methods = map[string]ttrpc.Method{
	"Echo": method(func(_ context.Context, request *Message) (*Message, error) {
		return request, nil
	}),
	// Fails with the code and the text of the request.
	"Fail": method(func(_ context.Context, request *Message) (*Message, error) {
		return nil, status.Error(codes.Code(request.Number), request.Text)
	}),
	"FailPlain": method(func(_ context.Context, request *Message) (*Message, error) {
		return nil, errors.New(request.Text)
	}),
	// The values of the key that the request names, and the time that is left.
	"Context": method(func(ctx context.Context, request *Message) (*Message, error) {
		reply := &Message{}
		if metadata, ok := ttrpc.GetMetadata(ctx); ok {
			values, _ := metadata.Get(request.Text)
			reply.Text = strings.Join(values, ",")
		}
		if deadline, ok := ctx.Deadline(); ok {
			reply.Number = int64(time.Until(deadline))
		}
		return reply, nil
	}),
	// Answers when its context ends.
	"Wait": method(func(ctx context.Context, _ *Message) (*Message, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}),
	// As many bytes as the request says.
	"Large": method(func(_ context.Context, request *Message) (*Message, error) {
		return &Message{Data: make([]byte, request.Number)}, nil
	}),
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

func serve(path string) {
	server, err := ttrpc.NewServer()
	check(err)
	server.Register(service, methods)
	listener, err := net.Listen("unix", path)
	check(err)
	fmt.Println("ready")
	check(server.Serve(context.Background(), listener))
}

func dial(path string) *ttrpc.Client {
	conn, err := net.Dial("unix", path)
	check(err)
	return ttrpc.NewClient(conn)
}

func expect(what string, ok bool, details ...interface{}) {
	if !ok {
		check(fmt.Errorf("%s: %v", what, fmt.Sprintln(details...)))
	}
}

// Go knows when a call ends only by its code.
func expectCode(what string, err error, code codes.Code, text string) {
	got := status.Convert(err)
	expect(what, err != nil && got.Code() == code && strings.Contains(got.Message(), text), err)
}

func runClient(path string) {
	ctx := context.Background()
	client := dial(path)
	call := func(ctx context.Context, method string, request Message) (Message, error) {
		var reply Message
		err := client.Call(ctx, service, method, &request, &reply)
		return reply, err
	}

	reply, err := call(ctx, "Echo", Message{Text: "grüße", Data: []byte{0, 255}, Number: -1})
	expect("echo", err == nil && reply.Text == "grüße" && bytes.Equal(reply.Data, []byte{0, 255}) && reply.Number == -1, reply, err)
	reply, err = call(ctx, "Echo", Message{})
	expect("empty echo", err == nil && reply.Text == "" && reply.Data == nil, reply, err)

	for code := codes.Code(1); code <= 16; code++ {
		_, err = call(ctx, "Fail", Message{Text: "why", Number: int64(code)})
		expectCode("failure", err, code, "why")
	}
	_, err = call(ctx, "Nope", Message{})
	expectCode("unknown method", err, codes.Unimplemented, "method Nope")
	err = client.Call(ctx, "no.S", "Echo", &Message{}, &Message{})
	expectCode("unknown service", err, codes.Unimplemented, "service no.S")

	withMetadata := ttrpc.WithMetadata(ctx, ttrpc.MD{"key": []string{"one", "two"}})
	reply, err = call(withMetadata, "Context", Message{Text: "key"})
	expect("metadata", err == nil && reply.Text == "one,two" && reply.Number == 0, reply, err)
	timed, cancel := context.WithTimeout(ctx, time.Minute)
	reply, err = call(timed, "Context", Message{})
	expect("deadline", err == nil && reply.Number > int64(30*time.Second) && reply.Number <= int64(time.Minute), reply, err)
	cancel()
	timed, cancel = context.WithTimeout(ctx, 20*time.Millisecond)
	_, err = call(timed, "Wait", Message{})
	expect("timeout", errors.Is(err, context.DeadlineExceeded) || status.Code(err) == codes.DeadlineExceeded, err)
	cancel()

	var group sync.WaitGroup
	for caller := 0; caller < 64; caller++ {
		group.Add(1)
		go func(caller int) {
			defer group.Done()
			for i := 0; i < 100; i++ {
				text := fmt.Sprint(caller, " ", i)
				reply, err := call(ctx, "Echo", Message{Text: text})
				expect("one of 64 callers", err == nil && reply.Text == text, reply, err)
			}
		}(caller)
	}
	group.Wait()

	for _, size := range []int{1 << 10, 1 << 20, 4<<20 - 100} {
		data := bytes.Repeat([]byte{'x'}, size)
		reply, err = call(ctx, "Echo", Message{Data: data})
		expect("large echo", err == nil && bytes.Equal(reply.Data, data), len(reply.Data), err)
	}
	_, err = call(ctx, "Echo", Message{Data: make([]byte, 5<<20)})
	expectCode("request beyond 4 MiB", err, codes.ResourceExhausted, "exceed maximum message size")
	_, err = call(ctx, "Large", Message{Number: 5 << 20})
	expectCode("reply beyond 4 MiB", err, codes.ResourceExhausted, "exceed maximum message size")
	reply, err = call(ctx, "Echo", Message{Text: "still there"})
	expect("echo at the end", err == nil && reply.Text == "still there", reply, err)
	fmt.Println("ok")
}

func flood(path string) {
	client := dial(path)
	for caller := 0; caller < 8; caller++ {
		go func() {
			for {
				var reply Message
				check(client.Call(context.Background(), service, "Echo", &Message{Data: make([]byte, 4<<20-100)}, &reply))
			}
		}()
	}
	select {}
}

func bench(path string) {
	client := dial(path)
	data := bytes.Repeat([]byte{'x'}, 100)
	var callers, calls int64
	for {
		if _, err := fmt.Scan(&callers, &calls); err != nil {
			return
		}
		start := time.Now()
		left := calls
		var group sync.WaitGroup
		for caller := int64(0); caller < callers; caller++ {
			group.Add(1)
			go func() {
				defer group.Done()
				for atomic.AddInt64(&left, -1) >= 0 {
					var reply Message
					check(client.Call(context.Background(), service, "Echo", &Message{Data: data}, &reply))
				}
			}()
		}
		group.Wait()
		fmt.Println(time.Since(start).Nanoseconds())
	}
}

func main() {
	switch {
	case len(os.Args) == 3 && os.Args[1] == "server":
		serve(os.Args[2])
	case len(os.Args) == 3 && os.Args[1] == "client":
		runClient(os.Args[2])
	case len(os.Args) == 3 && os.Args[1] == "flood":
		flood(os.Args[2])
	case len(os.Args) == 3 && os.Args[1] == "bench":
		bench(os.Args[2])
	default:
		check(errors.New("usage: peer server|client|flood|bench SOCKET"))
	}
}
