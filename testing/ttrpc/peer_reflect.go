// Copyright 2026 The External Containerizer Authors.
// SPDX-License-Identifier: Apache-2.0

// Built with peer.go where google.golang.org/protobuf is, as it is with ttrpc
// 1.2, which takes no other messages; 1.1 takes those of gogo.

package main

import (
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/runtime/protoimpl"
)

// ProtoReflect makes it a message of the newer protobuf, too.
func (m *Message) ProtoReflect() protoreflect.Message {
	return protoimpl.X.ProtoMessageV2Of((*reflected)(m)).ProtoReflect()
}

type reflected Message

func (m *reflected) Reset()         { *m = reflected{} }
func (m *reflected) String() string { return m.Text }
func (m *reflected) ProtoMessage()  {}
