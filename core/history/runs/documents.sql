SELECT recipe, environment, dataset FROM documents JOIN runs ON runs.number = documents.run WHERE runs.id = ?1
