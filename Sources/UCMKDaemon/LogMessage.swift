// SPDX-FileCopyrightText: The ucmkd authors
// SPDX-License-Identifier: Apache-2.0

/// The id of each log record's message (`MESSAGE_ID` of systemd.journal-fields(7)).
///
/// The catalog `systemd/ucmkd.catalog` explains each, and a test holds the two together. An id once
/// released stays with its message, whatever the words.
package struct LogMessage: Sendable, Hashable {
  /// The fixed text, as it is logged.
  package let text: String
  /// 128 bits in hexadecimal.
  package let id: String

  private init(_ text: String, _ id: String) {
    self.text = text
    self.id = id
  }

  /// Why the process ends before it serves.
  package static let doesNotStart = LogMessage(
    "the daemon does not start",
    "205db0860df3f13808c5fe51a9f23e83"
  )

  /// The id of the message with this text; nil for one that is in no list.
  package static func id(of text: String) -> String? { all.first { $0.text == text }?.id }

  /// Every message that the daemon logs, in the order of the catalog.
  package static let all: [LogMessage] = [
    LogMessage("serving", "4bcc361d883629179d3e9df906fab6cc"),
    LogMessage("stopped", "4a1ab07e998331f502a1684cfe0b63b1"),
    doesNotStart,
    LogMessage("only the watermarks can start a round", "375354d45f4878b5dbbe90c279dd6588"),
    LogMessage("no cgroup is watched", "65843bdad5cb4fddeca6457020b6a637"),
    LogMessage("level changed", "74cee73c3b0d7365b1097789871b2e7d"),
    LogMessage(
      "pressure is critical and caches have nothing left to give",
      "b986937ed771482dab44bd5b69724751"
    ),
    LogMessage("pressure is critical no longer", "77578fb21b644581912220babf14805c"),
    LogMessage("round closed", "2438c4012c9afae397b35338af3ee70f"),
    LogMessage("automatic rounds paused", "1f3892955936c20c3b0ac2302910e676"),
    LogMessage("automatic rounds resumed", "e7ff845aa4e17b8195ae0365d993d0a0"),
    LogMessage("settings read again", "552a54d418921e3280a849ae3bae89cf"),
    LogMessage("settings are wrong; the old ones stay", "a65da2fff4736c05b8634dd50d96604b"),
    LogMessage("flight recorder dumped", "c7eb234306d2cbf59f407d4abd2a01ce"),
    LogMessage("client joined", "9bff348e0020bc7a18d55a55ab290e74"),
    LogMessage("client came back", "8f0bf2cb915a14cce94f4b4498cfd463"),
    LogMessage("client left", "91bcb75edafdc93858a013f18ed9c3b7"),
    LogMessage("client is silent", "524caaa45734f754e4e5038527ec37fa"),
    LogMessage("client does not answer: left out", "9e0f4742acad2f98fd01ba02034801b4"),
    LogMessage(
      "a client's allocator keeps what its caches give up",
      "c7cbb37b3fd562fe62eb74ec344c5d79"
    ),
    LogMessage("an answer was not understood", "be7d2f1ca311c9d76a519009a6c8508b"),
    LogMessage("a report was not understood", "b4bc3502d4273935a3e7834bd06b9524"),
    LogMessage("no trigger; averages are read instead", "75cba70de830cf13eb0980530a3ddb1d"),
    LogMessage("a trigger is missing", "beabdf01a63015bd406566a15df78df6"),
    LogMessage("the cgroup of a domain was made", "bbf98fcc5dee5aeabf0cc108a479d9c0"),
    LogMessage(
      "cgroups that the settings name are not noticed when they are made",
      "8ccb6498e598453a20ddcb352e7e72b5"
    ),
    LogMessage("the kernel's own watermarks cannot be read", "15dc8ba26db6e2b6c42999cfacb2d01e"),
    LogMessage("a file of the kernel cannot be read", "31bf2988b09b2a3ac3204814c231d23f"),
    LogMessage("rules by executable match nobody", "7069730daa9672f3485afc1852a62529"),
    LogMessage("a group cannot be looked up", "ac7d050ec434709494d45e6020c0786a"),
    LogMessage("what clients did is forgotten", "b64f71f9d228d0398ea08176c8a1f58d"),
    LogMessage("what clients did cannot be written down", "a829f82d3c2f4b61d93109329a2dbe00"),
    LogMessage("the disk does not take what clients did", "5e1f0c7ab2d94c35903b7d6e48f1a26c"),
    LogMessage("no descriptor for a connection", "6d613435d27c2d36faf8943a08e4ea02"),
    LogMessage("no descriptor can be kept in reserve", "7da5d8f4ddb0261f59abb863aa549a91"),
    LogMessage("a connection could not be taken", "387616a5871520cfa16d2dd720d315f1"),
    LogMessage("a connection could not be served", "608b38a2bd52fd5225792d3c6ceec859"),
    LogMessage("a connection cannot be watched", "1ed5a2a5a537121987e743047811b1b3"),
    LogMessage("a connection cannot be left", "4a415d224c8a2d7be37dd99a5b020d98"),
    LogMessage("connections cannot be watched", "ae8622d358a0375ebb70b3f51e2dfc9c"),
    LogMessage(
      "the pressure source of the environment is not used",
      "49dc35f7e7a4bd5d9ee9d84b04bbfb92"
    ),
    LogMessage("the pressure source of the environment ended", "307f23c986d3062baebec41d3d8085be"),
    LogMessage("the service manager cannot be told", "13592fe38547b710168729db01e60338"),
    LogMessage("a timer cannot be set", "5e0f4b87c0282cbabc85d51482b482e0"),
    LogMessage("the loop cannot be left", "62331884e9c4e9027cc12ffafc34dfdd"),
    LogMessage("recording failed and was stopped", "f50ce13004598f60c1ee52218365773a"),
    LogMessage(
      "memory is not locked: RLIMIT_MEMLOCK is too small",
      "ae3cffda2b7de0d10a7bf2e456954acc"
    ),
    LogMessage("memory is not locked", "80ac62b179f374a20f63ffe0f4389519"),
    LogMessage("rehearsed", "66f92d55e11fd0f22125b3af9110ee05"),
    LogMessage("state changed", "31cd021911966118cabb400a69b8ef5f"),
  ]
}
