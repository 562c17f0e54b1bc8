// draw/html_script.h: the one script that an HtmlReport allows: html_script_basics.h (theme, tables, galleries),
// html_script_explorer.h and html_script_scatter.h. It adds to a page that is whole without it: CSS shows what is
// marked "scripted" instead of what is marked "unscripted" once it runs. It has no words of its own; they stand in
// data- attributes.
//
//   page += "<script>" + html_script() + "</script>";
#pragma once

#include <string>

#include "draw/html_script_basics.h"
#include "draw/html_script_explorer.h"
#include "draw/html_script_scatter.h"

namespace nunchi::draw {

inline std::string html_script() {
  return std::string("(() => {\n'use strict';\n") + html_script_basics + html_script_explorer + html_script_scatter +
         html_script_start + "})();\n";
}

}  // namespace nunchi::draw
