DROP TRIGGER jobs_attempts_stay ON jobs_attempt;
DROP FUNCTION jobs_keep_attempts();
DROP TRIGGER jobs_areas_follow_their_course ON jobs_generationarea;
DROP FUNCTION jobs_refuse_other_areas();
