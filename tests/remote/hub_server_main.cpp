// The tests' hub as a program, for peers that are to pull from it: publishes folders until its standard input ends.
//
//   hub_server org/name=FOLDER ...    first line: its address; then "METHOD hub|storage TARGET" a request
#include <iostream>

#include "core/file.h"
#include "remote/hub_server.h"

int main(int argc, char** argv) {
  using namespace nunchi;
  remote::HubServer hub;
  for (int i = 1; i < argc; ++i) {
    const std::string text = argv[i];
    const auto middle = text.find('=');
    remote::HubServer::Files files;
    for (const auto& file : list_files(text.substr(middle + 1))) files[file.filename()] = read_file(file, 1u << 30);
    hub.publish(text.substr(0, middle), files);
  }
  std::cout << hub.endpoint() << std::endl;
  // Each line of the input asks for the requests since the last one, ended by an empty line.
  for (std::string line; std::getline(std::cin, line);) {
    for (const auto& seen : hub.requests())
      std::cout << seen.request.method << (seen.storage ? " storage " : " hub ") << seen.request.target << '\n';
    hub.forget_requests();
    std::cout << std::endl;
  }
}
