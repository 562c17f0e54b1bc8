// cli/embedded.h: many pictures as vectors, and those that are most like one of them.
//
//   const Embedded all = embedded(options, model, pictures, tasks::EmbeddingKind::cls);
//   for (const Tensor& query : all.vectors.unbind(0)) order_by_cosine(query, all.vectors);
#pragma once

#include "cli/commands.h"
#include "cli/page_words.h"
#include "metrics/retrieval.h"
#include "tasks/embed.h"

namespace nunchi::cli {

struct Embedded {
  std::vector<std::string> files;  // that could be read
  Tensor vectors;                  // [n, dim] float; undefined where there are none
  int code = 0;                    // as run_pictures()
};

Embedded embedded(const Options& options, const tasks::VisionModel& model, const Pictures& pictures,
                  tasks::EmbeddingKind kind);

// "cats" of "photos/cats/a.jpg": the class, where pictures lie in folders of classes.
std::string folder_name(const std::string& file);

// A small copy, its longer side at most so many pixels.
image::Picture thumbnail(const Options& options, const std::string& file, int longest);

// "precision@1 93.1 %, precision@10 90.2 %, mAP 81.0 % (folders as classes, 120 queries)".
std::string in_words(const metrics::Retrieval& retrieval, const PageWords& say = PageWords());

Json as_json(const metrics::Retrieval& retrieval);

}  // namespace nunchi::cli
